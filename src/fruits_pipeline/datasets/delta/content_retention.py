"""The dataset that removes the content of old photos."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from kedro.io.core import AbstractDataset

from fruits_pipeline.datasets.delta.batches import DeltaBatches
from fruits_pipeline.datasets.delta.retention import (
    count_without_content,
    find_expired,
    remove_content,
)
from fruits_pipeline.datasets.delta.tables import open_existing_log, open_log
from fruits_pipeline.lineage import Lineage
from fruits_pipeline.parameters import RetentionParameters
from fruits_pipeline.schemas import CONTENT

DAY_MS = 86_400_000

logger = logging.getLogger(__name__)


class ContentRetention(AbstractDataset[RetentionParameters, dict[str, int]]):
    """The photos whose content was removed from the tables.

    Saving parameters removes the content of photos that are older and have features.

    Args:
        tables: Paths or URLs of `photos` and `images`, by name.
        metadata: Ignored; used by Kedro-Viz.

    Attributes:
        lineage: Its sources are the tables `photos`, `images`, `quality` and `features`.
    """

    _SINGLE_PROCESS = True

    def __init__(
        self, *, tables: Mapping[str, str], metadata: dict[str, Any] | None = None
    ) -> None:
        self.tables = tables
        self.metadata = metadata
        self.lineage = Lineage()

    def check(self, lineage: Lineage) -> None:
        """Do nothing: the tables are checked by their own datasets."""

    def prepare(self, lineage: Lineage) -> None:
        """Set the sources."""
        self.lineage = lineage

    def load(self) -> dict[str, int]:
        """Return the number of photos without content in `photos` and `images`."""
        logs = {name: open_log(path) for name, path in self.tables.items()}
        return {
            name: count_without_content(log.files) if log else 0
            for name, log in logs.items()
        }

    def save(self, data: RetentionParameters) -> None:
        """Remove the content of photos that were ingested `content_days` ago or earlier.

        `images` comes first. A run that is interrupted is completed by the next one.

        Raises:
            FruitsError: Another run writes to the tables, or a file is missing or damaged.
        """
        days = data.content_days
        if days is None:
            return
        sources = [s for s in self.lineage.sources if isinstance(s, DeltaBatches)]
        tables = {source.table: source for source in sources}
        logs = {name: open_existing_log(t.filepath) for name, t in tables.items()}
        expired = find_expired(logs, int(time.time() * 1000) - days * DAY_MS)
        for name in reversed(CONTENT):
            with tables[name].changing() as writer:
                schema, features = tables[name].schema, logs["features"]
                removed = remove_content(writer, name, schema, expired, features)
            if removed:
                logger.info(
                    "%s: removed the content of %d photos older than %d days",
                    *(name, removed, days),
                )

    def _exists(self) -> bool:
        return True  # so that --only-missing-outputs does not change tables

    def _describe(self) -> dict[str, Any]:
        return {"tables": dict(self.tables)}
