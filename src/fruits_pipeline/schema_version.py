"""The version of the tables and models below `root`, and the upgrade of older ones.

| version | release | change |
|---|---|---|
| 1 | 0.1 | Parquet files without a log; cannot be read any more |
| 2 | 0.2.0 | Delta tables |
| 3 | | `photos` has the column `error` |
| 4 | 0.3.0 | tables and models state their version; new in the recipe: `ADDED_PARAMETERS` |

Versions 2 and 3 do not state their version. They are upgraded by the next run: missing
columns are added, and rows are not computed again.
"""

from __future__ import annotations

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.lineage import Recipe

SCHEMA_VERSION = 4
"""Version of the tables and models that this code writes."""

ADDED_PARAMETERS = ("preprocess.seconds_per_photo",)
"""Parameters of recipes that tables of older versions lack.

Such a table gets the value of the first run that upgrades it, because only photos that
take longer to decode would have another row.
"""


def check_version(path: str, version: object) -> None:
    """Raise if a newer version of this project wrote a table or model.

    Args:
        path: Path or URL of the table or file.
        version: The version that it states, a number or digits; None if it states none.

    Raises:
        FruitsError: It is newer, or not a number.
    """
    if version is None or (
        str(version).isdecimal() and int(str(version)) <= SCHEMA_VERSION
    ):
        return
    raise FruitsError(
        f"Found {path} of schema version {version}, which a newer version of this project "
        f"wrote; expected at most {SCHEMA_VERSION}. Install the newer version of the "
        "project, or choose another `root`."
    )


def complete_recipe(old: Recipe, new: Recipe) -> Recipe:
    """Return a recipe of an older version with the parameters added since.

    Args:
        old: Recipe of a stored table or model.
        new: Recipe of this run, whose values are added.
    """
    added = {name: new[name] for name in ADDED_PARAMETERS if name in new}
    return added | old
