"""Check that the datasets of a run belong together, and that no other run replaces them."""

from __future__ import annotations

import logging
from typing import Any

from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from fruits_pipeline.datasets import DeltaBatches, PcaFile
from fruits_pipeline.datasets.delta.dataset import DeltaDataset
from fruits_pipeline.datasets.delta.errors import ConcurrentRunError
from fruits_pipeline.errors import REPAIR, FruitsError

logger = logging.getLogger(__name__)


def location_of(catalog: DataCatalog, name: str) -> str | None:
    """Return the path or URL of a dataset; None if it has none."""
    location: str | None = getattr(catalog.get(name), "filepath", None)
    return location


def file_of(dataset: Any) -> str | None:
    """Return the path or URL of a dataset of this project or of Kedro; None if it has none."""
    path = getattr(dataset, "filepath", None) or getattr(dataset, "_filepath", None)
    if path is None:
        return None
    protocol = getattr(dataset, "_protocol", "file")
    prefix = f"{protocol}://" if protocol != "file" and "://" not in str(path) else ""
    return f"{prefix}{path}"


def check_pca(pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Raise if the inputs are reduced vectors without the PCA that computed them.

    Raises:
        FruitsError: The PCA is missing, or is another one.
    """
    inputs = [catalog.get(name) for name in pipeline.inputs()]
    tables = [d for d in inputs if isinstance(d, DeltaDataset) and d.table == "reduced"]
    for pca in (d for d in inputs if isinstance(d, PcaFile) and not d.optional):
        for table in tables:
            source_ids = table.source_ids()
            if not source_ids:
                continue
            if (digest := pca.fingerprint()) is None:
                raise FruitsError(
                    f"Found no PCA in {pca.filepath}; expected the PCA that computed "
                    f"{table.filepath}. {REPAIR}"
                )
            if digest not in source_ids:
                raise FruitsError(
                    f"Found {table.filepath} computed by another PCA than "
                    f"{pca.filepath}; expected this PCA. Run `kedro run` with the same "
                    "`root` first, which computes the vectors again."
                )


def check_datasets(pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Check at the end of a run that no other run has rebuilt a dataset that it loaded.

    Raises:
        FruitsError: Another run has rebuilt a table or replaced the PCA.
    """
    _check_current(pipeline, catalog)
    check_pca(pipeline, catalog)


def find_other_run(pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Raise if another run has changed a dataset of a run that has failed.

    Raises:
        ConcurrentRunError: It has. Other errors, such as of a storage that is not
            reachable, are ignored.
    """
    try:
        _check_current(pipeline, catalog)
        for dataset in map(catalog.get, pipeline.all_outputs()):
            if isinstance(dataset, DeltaBatches):
                dataset.check_unchanged()
    except ConcurrentRunError:
        raise
    except Exception as exc:  # noqa: BLE001 - the run has failed already
        logger.debug("Could not look for another run: %r", exc)


def _check_current(pipeline: Pipeline, catalog: DataCatalog) -> None:
    datasets: dict[str, Any] = {}
    for name in pipeline.datasets():
        dataset: Any = catalog.get(name)
        if hasattr(dataset, "check_current") and (build_id := dataset.build_id()):
            datasets[f"{dataset.filepath} {build_id}"] = dataset
    for dataset in datasets.values():
        dataset.check_current()
