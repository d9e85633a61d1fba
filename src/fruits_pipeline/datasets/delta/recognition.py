"""Recognise the tables and files of this project."""

from __future__ import annotations

from deltalake.exceptions import TableNotFoundError

from fruits_pipeline.datasets.delta.cache import open_cached
from fruits_pipeline.datasets.delta.errors import (
    DamagedLogError,
    check_location,
    translate_delta_errors,
)
from fruits_pipeline.datasets.delta.files import DATA_FILE_NAME, list_sizes
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.errors import REPAIR, FruitsError


def open_any_log(location: str) -> DeltaLog:
    """Return the newest version of a table of this project or of another program.

    Raises:
        TableNotFoundError: There is no log.
        FruitsError: The log is damaged, or the storage is not reachable.
    """
    with translate_delta_errors(location):
        check_location(location)
        return DeltaLog(location, open_cached(location))


def is_own_table(location: str) -> bool:
    """Return whether a folder contains a table that this project has written.

    Its log has a property of this project. If the log is lost or damaged, the names of the
    data files decide.

    Args:
        location: Path or URL of the folder.

    Raises:
        FruitsError: The storage is not reachable.
    """
    try:
        properties = open_any_log(location).properties
    except (DamagedLogError, TableNotFoundError):
        return any(map(DATA_FILE_NAME.fullmatch, list_sizes(location)))
    return any(name.startswith("fruits.") for name in properties)


def check_folder_is_empty(location: str) -> None:
    """Raise if the folder of a missing table contains files.

    Raises:
        FruitsError: It does.
    """
    found = [
        path for path in list_sizes(location) if not path.startswith("_delta_log/")
    ]
    if not found:
        return
    if any(path.endswith(("_recipe.json", "/_SUCCESS")) for path in found):
        raise FruitsError(
            f"Found a table of version 0.1 of this project in {location}; expected a Delta "
            f"table. Delete {location} and the other tables below the same root, and run "
            "again to compute them from the photos, or choose another `root`."
        )
    if any(DATA_FILE_NAME.fullmatch(path) for path in found):
        raise FruitsError(
            f"Found files of a table in {location} without their log; expected the folder "
            f"_delta_log beside them. {REPAIR}"
        )
    raise FruitsError(
        f"Found files in {location}, such as {found[0]}, and no table; "
        "expected a table of this project or an empty folder. Choose another `root`, or "
        "move the files away."
    )
