"""Refuse a root of another program before anything below it is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

from kedro.io import DataCatalog, DatasetError
from kedro.pipeline import Pipeline

from fruits_pipeline.datasets import DeltaBatches
from fruits_pipeline.datasets.delta.recognition import is_own_table
from fruits_pipeline.datasets.delta.tables import open_log
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.hooks.history import HISTORY
from fruits_pipeline.hooks.listing import COUNTS
from fruits_pipeline.hooks.page import PAGE
from fruits_pipeline.hooks.report import STATES
from fruits_pipeline.io.files import read_file, resolve
from fruits_pipeline.io.folders import entry_names
from fruits_pipeline.io.lease.holder import parse_holder
from fruits_pipeline.io.lease.lease import LEASE_NAME, lease_path
from fruits_pipeline.schemas import TABLES

TAGS_OF_EXISTING_ROOTS = {"check", "mend", "tidy"}
"""Tags of nodes of the pipelines that need an earlier run."""

WRITTEN_BY_HOOKS = {STATES, HISTORY, PAGE}
"""Files of a run that are no outputs of its nodes."""

MADE_WITHOUT_TABLES = {"backbone", "training_curves", "sample_photos"}
"""Outputs that can exist before the first run, and are not written by one."""

SHOWN = 3
"""Number of files that a message names."""


def check_root(root: str, pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Raise if a pipeline must not write below a root. Changes nothing.

    A root with a table of this project is accepted. It costs one listing, and the first
    access to a table, which the table cache keeps for the run.

    Raises:
        FruitsError: The root has no table of this project, and the pipeline checks or
            repairs tables, or would replace existing files.
    """
    outputs = outputs_below(root, pipeline.all_outputs(), catalog)
    needs_tables = any(TAGS_OF_EXISTING_ROOTS & node.tags for node in pipeline.nodes)
    if not outputs and not needs_tables:
        return
    names = entry_names(root)
    if _has_table(root, names, catalog):
        return
    if needs_tables:
        raise FruitsError(
            f"Found no tables of this project below {root}; expected those of an earlier "
            "run. Set `root` to the folder of that run."
        )
    outputs = outputs_below(root, {*outputs, *WRITTEN_BY_HOOKS}, catalog)
    _check_tables(catalog, outputs, names)
    if found := [*_existing_files(root, names, catalog, outputs)]:
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise FruitsError(
            f"Found {', '.join(found[:SHOWN])}{more} in {root}, but no table of this "
            "project; expected an empty folder or the root of an earlier run. Set `root` "
            "to another folder, or move these files away."
        )


def outputs_below(
    root: str, written: Set[str], catalog: DataCatalog
) -> Mapping[str, str]:
    """Return the paths, relative to the root, of the datasets below it, by name.

    Args:
        root: Path or URL of the root.
        written: Names of the datasets that a run writes.
        catalog: All datasets.
    """
    base = resolve(root)[1].rstrip("/")
    names = [name for name in sorted(written) if name in catalog]
    found = {name: _path(catalog.get(name)) for name in names}
    return {
        name: path.removeprefix(f"{base}/")
        for name, path in found.items()
        if path.startswith(f"{base}/")
    }


def _path(dataset: Any) -> str:
    """Return the path of a dataset in its file system; empty if it is in memory."""
    if location := getattr(dataset, "filepath", None):
        return str(resolve(location)[1])
    return str(getattr(dataset, "_filepath", ""))  # datasets of Kedro


def _has_table(root: str, names: Set[str], catalog: DataCatalog) -> bool:
    base = resolve(root)[1].rstrip("/")
    entries = (f"{table}@batches" for table in TABLES)
    tables: list[Any] = [catalog.get(name) for name in entries if name in catalog]
    return any(
        is_own_table(table.filepath)
        for table in tables
        if _first_folder(_path(table).removeprefix(f"{base}/")) in names
    )


def _first_folder(path: str) -> str:
    return path.partition("/")[0]


def _check_tables(
    catalog: DataCatalog, outputs: Mapping[str, str], names: Set[str]
) -> None:
    """Raise if the folder of a table contains files of another program.

    An interrupted first run can leave an incomplete log, which is accepted.
    """
    for name, path in outputs.items():
        dataset = catalog.get(name)
        if isinstance(dataset, DeltaBatches) and _first_folder(path) in names:
            open_log(dataset.filepath)


def _existing_files(
    root: str, names: Set[str], catalog: DataCatalog, outputs: Mapping[str, str]
) -> Iterator[str]:
    """Yield the paths of files that a run would replace, and no first run has left."""
    if LEASE_NAME in names and not _is_lease(root):
        yield LEASE_NAME
    file_system, base = resolve(root)
    file_system.invalidate_cache()
    for name, path in outputs.items():
        is_table = isinstance(catalog.get(name), DeltaBatches)
        if is_table or name in MADE_WITHOUT_TABLES or _first_folder(path) not in names:
            continue
        is_of_first_run = name == COUNTS and _has_counts(catalog)
        if file_system.exists(f"{base}/{path}") and not is_of_first_run:
            yield path


def _is_lease(root: str) -> bool:
    """Return whether the lease was written by a run, or is already released."""
    try:
        return "runs" in parse_holder(read_file(lease_path(root)))
    except FileNotFoundError:
        return True


def _has_counts(catalog: DataCatalog) -> bool:
    """Return whether a run has written the counts of the listing, before any table."""
    try:
        return "new_or_changed" in catalog.load(COUNTS)
    except DatasetError:
        return False
