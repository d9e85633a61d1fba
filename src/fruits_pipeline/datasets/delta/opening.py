"""Open and create Delta tables of this project, and refuse what is none of them."""

from __future__ import annotations

import json
from urllib.parse import unquote

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import TableNotFoundError

from fruits_pipeline import schemas
from fruits_pipeline.datasets.delta.errors import errors_in_words
from fruits_pipeline.datasets.delta.files import sizes
from fruits_pipeline.datasets.delta.log import ORIGIN, OURS, RECIPE, WRITER, DeltaLog
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.lineage import Recipe

_shared: dict[str, DeltaTable] | None = None
"""Tables that this run has opened, by place; None outside of runs."""

_checked: set[str] = set()
"""Versions of tables whose files this run has found in storage."""


def share_tables(share: bool) -> None:
    """Open every table once during a run, and refresh it then, to save requests.

    Args:
        share: Whether a run begins, or ends.
    """
    global _shared  # noqa: PLW0603 - one run at a time in a process
    _shared = {} if share else None
    _checked.clear()


def open_log(place: str) -> DeltaLog | None:
    """Return the newest version of a table; None if the folder is empty or absent.

    Raises:
        FruitsError: The folder contains something else.
    """
    try:
        with errors_in_words(place):
            log = DeltaLog(place, _table(place))
    except TableNotFoundError:
        _check_empty(place)
        return None
    if RECIPE not in log._properties:
        raise FruitsError(
            f"Found a Delta table in {place} that this project did not write; expected "
            "its own table or an empty folder. Choose another `root`."
        )
    return log


def _table(place: str) -> DeltaTable:
    if "://" not in place and unquote(place) != place:
        raise FruitsError(
            f"Found a percent sign with two hexadecimal digits in {place}; expected a "
            "path without, as Delta tables read it as another path. Rename the folder, or "
            "choose another `root`."
        )
    if _shared is None:
        return DeltaTable(place)
    if place in _shared:
        _shared[place].update_incremental()
    else:
        _shared[place] = DeltaTable(place)
    return _shared[place]


def existing_log(place: str) -> DeltaLog:
    """Return a table whose files are all there.

    Raises:
        FruitsError: There is no table, or a file is missing or cut off.
    """
    log = open_log(place)
    if log is None:
        raise FruitsError(
            f"Found no table in {place}; expected one. Run the stages before this one "
            "first, with `kedro run` and the same `root`."
        )
    version = f"{place} {log.state}"
    if version not in _checked:
        log.check_files()
    if _shared is not None:
        _checked.add(version)
    return log


def create_log(
    place: str, schema: pa.Schema, recipe: Recipe, origin: list[str | None]
) -> DeltaLog:
    """Create an empty table, or replace all rows of one, and claim it.

    Args:
        place: Path or URL of the table.
        schema: Schema of its files.
        recipe: Recipe of its rows.
        origin: Identities of their sources.
    """
    old = open_log(place)
    writer = 1 + (old._table.transaction_version(WRITER) or 0 if old else 0)
    with errors_in_words(place):
        table = DeltaTable.create(
            place,
            pa.schema([*schema, schemas.BATCH]),
            mode="overwrite" if old else "error",
            partition_by=["batch"],
            configuration={
                RECIPE: json.dumps(recipe),
                ORIGIN: json.dumps(origin),
                "delta.checkpointInterval": "10",
            },
            commit_properties=CommitProperties(
                app_transactions=[Transaction(WRITER, writer)]
            ),
            raise_if_key_not_exists=False,
        )
    return DeltaLog(place, table, writer)


def _check_empty(place: str) -> None:
    found = [name for name in sizes(place) if not name.startswith("_delta_log/")]
    if not found:
        return
    if any(name.endswith(("_recipe.json", "/_SUCCESS")) for name in found):
        raise FruitsError(
            f"Found a table of version 0.1 of this project in {place}; expected a Delta "
            f"table. Delete {place} and the other tables below the same root, and run "
            "again to compute them from the photos, or choose another `root`."
        )
    if any(OURS.fullmatch(name) for name in found):
        raise FruitsError(
            f"Found files of a table in {place} without their log; expected the folder "
            "_delta_log beside them. Restore it from a copy, or move the files away and run "
            "again: the rows are computed again, except those of photos that are gone."
        )
    raise FruitsError(
        f"Found {len(found)} files in {place}, such as {found[0]}, and no table; "
        "expected a table of this project or an empty folder. Choose another `root`, or "
        "move the files away."
    )
