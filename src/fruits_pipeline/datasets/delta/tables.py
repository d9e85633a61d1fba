"""Open and create the Delta tables of this project."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import TableNotFoundError

from fruits_pipeline import schemas
from fruits_pipeline.datasets.delta.cache import CACHE
from fruits_pipeline.datasets.delta.errors import (
    concurrent_run_error,
    damaged_log_error,
    translate_delta_errors,
)
from fruits_pipeline.datasets.delta.files import DataFile, flush_commit
from fruits_pipeline.datasets.delta.integrity import check_sizes
from fruits_pipeline.datasets.delta.log import (
    RECIPE,
    SOURCE_IDS,
    VERSION,
    WRITER,
    DeltaLog,
)
from fruits_pipeline.datasets.delta.recognition import (
    check_folder_is_empty,
    open_any_log,
)
from fruits_pipeline.datasets.delta.requests import (
    commit_once,
    open_delta_table,
    storage_options,
)
from fruits_pipeline.datasets.delta.writer import TableWriter
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.lease.held import check_lease
from fruits_pipeline.lineage import Recipe
from fruits_pipeline.schema_version import SCHEMA_VERSION, check_version


def open_log(location: str) -> DeltaLog | None:
    """Return the newest version of a table; None if the folder is empty or missing.

    Raises:
        FruitsError: The folder contains other files, or a table of another program.
    """
    try:
        return open_table(location)
    except TableNotFoundError:
        check_folder_is_empty(location)
        return None


def open_table(location: str) -> DeltaLog:
    """Return the newest version of a table.

    Raises:
        TableNotFoundError: There is no log.
        FruitsError: The log is damaged, or that of a table of another program or of a
            newer version of this project.
    """
    log = open_any_log(location)
    check_version(location, log.properties.get(VERSION))
    if RECIPE not in log.properties:
        if any(name.startswith("fruits.") for name in log.properties):
            raise damaged_log_error(location, f"no property {RECIPE}")
        raise FruitsError(
            f"Found a Delta table in {location} that this project did not write; expected "
            "a table of this project or an empty folder. Choose another `root`."
        )
    return log


def open_existing_log(location: str) -> DeltaLog:
    """Return the newest version of a table, after a check of its file sizes.

    Raises:
        FruitsError: There is no table, or a file is missing or truncated.
    """
    log = open_log(location)
    if log is None:
        raise FruitsError(
            f"Found no table in {location}; expected one. Run the earlier stages first, "
            "with `kedro run` and the same `root`."
        )
    check_sizes_once(log)
    return log


def check_sizes_once(log: DeltaLog) -> None:
    """Check the file sizes of a version of a table, once per run.

    Raises:
        FruitsError: A file is missing or truncated.
    """
    version = (log.location, log.version_id)
    if version not in CACHE.checked:
        check_sizes(log)
    if CACHE.enabled:
        CACHE.checked.add(version)


def create_table(
    location: str,
    schema: pa.Schema,
    recipe: Recipe,
    source_ids: list[str | None],
    replaced: DeltaLog | None,
) -> TableWriter:
    """Create an empty table, and claim it.

    Args:
        location: Path or URL of the table.
        schema: Schema of the data files.
        recipe: Recipe of the rows.
        source_ids: Build ids of the sources.
        replaced: Newest version of the table whose rows are deleted; None if there is no
            table.

    Raises:
        FruitsError: Another run has created or changed the table.
    """
    check_lease()
    version, number, removed = 0, 1, list[DataFile]()
    if replaced:
        claimed = TableWriter(replaced)
        claimed.claim()
        version, number = claimed.log.version + 1, claimed.log.writer + 1
        removed = claimed.log.files

    def create(identity: Mapping[str, str]) -> None:
        DeltaTable.create(
            location,
            pa.schema([*schema, schemas.BATCH]),
            mode="overwrite" if replaced else "error",
            partition_by=["batch"],
            configuration={
                RECIPE: json.dumps(recipe),
                SOURCE_IDS: json.dumps(source_ids),
                VERSION: str(SCHEMA_VERSION),
                "delta.checkpointInterval": "10",
            },
            commit_properties=CommitProperties(
                custom_metadata={**identity},
                app_transactions=[Transaction(WRITER, number)],
            ),
            raise_if_key_not_exists=False,
            storage_options=storage_options(location),
        )

    with translate_delta_errors(location):
        commit_once(location, create)
        table = open_delta_table(location)
    flush_commit(location, table.version())
    if table.version() != version:  # another run has claimed the table meanwhile
        raise concurrent_run_error(location)
    return TableWriter(DeltaLog(location, table), number, removed)
