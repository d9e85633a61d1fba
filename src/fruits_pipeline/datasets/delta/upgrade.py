"""Change the properties and columns of a table without a change of its rows."""

from __future__ import annotations

import json

import pyarrow as pa
from deltalake import Schema

from fruits_pipeline.datasets.delta.errors import translate_delta_errors
from fruits_pipeline.datasets.delta.files import flush_commit
from fruits_pipeline.datasets.delta.log import RECIPE, VERSION, DeltaLog
from fruits_pipeline.io.lease.held import check_lease
from fruits_pipeline.lineage import Recipe
from fruits_pipeline.schema_version import SCHEMA_VERSION

RETENTION = ("delta.deletedFileRetentionDuration", "delta.logRetentionDuration")
"""Table properties of the Delta protocol."""


def set_retention(log: DeltaLog, days: int) -> None:
    """Set for how long replaced data files and the log of old versions are kept.

    Args:
        log: Newest version of the table.
        days: Number of days.
    """
    properties = dict.fromkeys(RETENTION, f"interval {days} days")
    if properties.items() <= log.properties.items():
        return
    check_lease()
    with translate_delta_errors(log.location):
        log.table.alter.set_table_properties(properties, raise_if_not_exists=False)
        log.refresh()
    flush_commit(log.location, log.version)


def upgrade_table(log: DeltaLog, schema: pa.Schema, recipe: Recipe) -> None:
    """Add what a table of an older version lacks; values of new columns are null.

    Args:
        log: Newest version of the table.
        schema: Schema of the data files.
        recipe: Recipe of the rows, with the parameters added since.
    """
    missing = [field for field in schema if field.name not in log.columns]
    properties = {RECIPE: json.dumps(recipe), VERSION: str(SCHEMA_VERSION)}
    is_old = log.recipe != recipe or log.properties.get(VERSION) != properties[VERSION]
    check_lease()
    old_version = log.version
    with translate_delta_errors(log.location):
        if missing:
            fields = Schema.from_arrow(pa.schema(missing)).fields
            log.table.alter.add_columns(fields)
        if is_old:
            log.table.alter.set_table_properties(properties, raise_if_not_exists=False)
        if missing or is_old:
            log.refresh()
    for version in range(old_version + 1, log.version + 1):
        flush_commit(log.location, version)
