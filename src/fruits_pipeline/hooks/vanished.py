"""Notice that the table `photos` has vanished, before a run takes its place."""

from __future__ import annotations

from typing import Any

from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from fruits_pipeline.datasets import DeltaBatches
from fruits_pipeline.datasets.delta.tables import open_log
from fruits_pipeline.errors import REPAIR, FruitsError

PHOTOS = "photos@batches"
LATER = ("images", "quality", "features", "reduced")
"""Tables that are computed from `photos`, directly or not."""


def check_photos_exist(pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Raise if there is no table `photos`, but later tables have rows.

    A new table would contain only the photos that still exist in the photo root, and later
    tables would follow it: they would lose the others without a message.

    Raises:
        FruitsError: The table has vanished, and `changed_recipe` is not `rebuild`.
    """
    if PHOTOS not in pipeline.all_outputs():
        return
    photos = catalog.get(PHOTOS)
    if not isinstance(photos, DeltaBatches) or photos.changed_recipe == "rebuild":
        return
    if open_log(photos.filepath):
        return
    for name in LATER:
        table: Any = catalog.get(f"{name}@batches")
        log = open_log(table.filepath)
        if log and log.files:
            raise FruitsError(
                f"Found no table in {photos.filepath}, but {name} of "
                f"{sum(file.rows for file in log.files)} photos; expected the photos that it "
                "was computed from. If a lifecycle rule of the bucket, or another program, "
                "deletes files below `root`, end that first; to delete old photos, set "
                f"retention.content_days instead. {REPAIR} To begin again with the photos "
                "that exist now, set changed_recipe=rebuild."
            )
