"""The dataset of the photos that a table lacks, according to later tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from fruits_pipeline.datasets.delta.comparison import digest_keys, read_keys
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.tables import open_log
from fruits_pipeline.datasets.path_dataset import PathDataset
from fruits_pipeline.spark.keys import path_hashes

Keys = set[tuple[str, str]]
"""Values of `path` and `photo_id`; "" is the id of a photo that was not read."""


class LostPhotos(PathDataset[None, Mapping[str, Keys]]):
    """The photos that `photos` lacks, and that tables computed from it contain.

    Args:
        filepath: Path or URL of the table `photos`.
        tables: `{"paths": [...]}`, the tables that were computed from it, those with
            most rows first.
        metadata: Ignored; used by Kedro-Viz.
    """

    def __init__(
        self,
        *,
        filepath: str,
        tables: Mapping[str, Sequence[str]],
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(filepath=filepath, metadata=metadata)
        self.tables = tables["paths"]

    def load(self) -> Mapping[str, Keys]:
        """Return the keys of the missing photos, by the batch that contained them.

        Raises:
            FruitsError: A table is damaged.
        """
        photos = open_log(self.filepath)
        if photos is None:
            return {}
        lost: dict[str, Keys] = {}
        for later in filter(None, map(open_log, self.tables)):
            for batch, keys in _extra_keys(photos, later):
                lost.setdefault(batch, set()).update(keys)
        if not lost:
            return {}
        # A photo that has changed since has a row of the same path in another batch.
        stored = _stored_paths(photos)
        for batch, keys in lost.items():
            lost[batch] = _without_paths(keys, stored)
        return {batch: keys for batch, keys in lost.items() if keys}

    def save(self, data: None) -> None:
        """Do nothing: the entry is read-only."""


def _extra_keys(photos: DeltaLog, later: DeltaLog) -> Iterator[tuple[str, Keys]]:
    """Yield the keys of each batch of a later table that `photos` lacks."""
    for batch, files in later.batches.items():
        upstream = photos.batches.get(batch, ())
        digest = digest_keys(later, files, only_valid=False)
        if digest == digest_keys(photos, upstream, only_valid=False):
            continue
        extra = read_keys(later, files, only_valid=False)
        if extra := extra - read_keys(photos, upstream, only_valid=False):
            yield batch, extra


def _stored_paths(photos: DeltaLog) -> np.ndarray:
    """Return the hashes of all paths of a table, 8 bytes per photo."""
    hashes = [
        path_hashes(photos.read([file], ["path"])["path"].to_pylist())
        for file in photos.files
    ]
    return np.concatenate([np.empty(0, np.uint64), *hashes])


def _without_paths(keys: Iterable[tuple[str, str]], paths: np.ndarray) -> Keys:
    found = [*keys]
    is_stored = np.isin(path_hashes(path for path, _ in found), paths)
    return {key for key, stored in zip(found, is_stored, strict=True) if not stored}
