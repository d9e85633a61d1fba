"""The reduced vectors of all photos, and the models that compute those of other photos."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline.datasets.backbone_folder import BackboneFolder
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.tables import open_existing_log
from fruits_pipeline.datasets.pca_file import PcaFile
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.imaging.canonical import canonicalise
from fruits_pipeline.imaging.fitting import fit
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.models.pca import Pca
from fruits_pipeline.spark.vectors import to_matrix

COLUMNS = ("path", "photo_id", "label", "components")


@dataclass(frozen=True)
class Collection:
    """The photos of a root, read without Spark.

    Attributes:
        backbone: The backbone that computed the features.
        pca: The PCA that computed the reduced vectors.
        reduced: The table `reduced`.
        images: Location of the table `images`.
    """

    backbone: Backbone
    pca: Pca
    reduced: DeltaLog
    images: str

    @cached_property
    def rows(self) -> pa.Table:
        """`path`, `photo_id`, `label` and `components` of all photos."""
        rows = self.reduced.read(self.reduced.files, COLUMNS)
        return rows.combine_chunks()

    @cached_property
    def vectors(self) -> np.ndarray:
        """Reduced vectors of all photos, `float32 [n, d]`."""
        width = len(self.pca.components)
        column = self.rows["components"].combine_chunks()
        return to_matrix(column).reshape(len(self.rows), width)

    def is_same(self, content: bytes) -> np.ndarray:
        """Return which photos have the same bytes, `bool [n]`."""
        photo_id = hashlib.sha256(content).hexdigest()
        found = pc.equal(self.rows["photo_id"], photo_id).fill_null(False)
        return np.asarray(found.to_numpy())

    def embed(
        self, content: bytes, max_mib: int | None = None
    ) -> tuple[bytes, np.ndarray]:
        """Return the canonical photo, and its reduced vector as the pipeline computes it.

        Args:
            content: Content of the file.
            max_mib: Maximum memory for decoding, in MiB; None for that of the table.

        Raises:
            ValueError: The photo cannot be decoded.
        """
        recipe = self.reduced.recipe
        photo = canonicalise(
            content,
            recipe["preprocess.short_side"],
            max_mib or recipe["preprocess.decode_memory_mib"],
        )
        if photo.image is None:
            raise ValueError(photo.error)
        pixels = fit(
            photo.image, self.backbone.card.input_size, recipe["featurize.fit"]
        )
        (features,) = self.backbone.embed([pixels])
        return photo.image, self.pca.transform(features[np.newaxis])[0]

    def read_images(self, positions: Iterable[int]) -> Mapping[int, bytes]:
        """Return the canonical photos of rows, by their position.

        Raises:
            FruitsError: The table `images` is missing or damaged.
        """
        by_path = {self.rows["path"][int(i)].as_py(): int(i) for i in positions}
        log, found = open_existing_log(self.images), {}
        paths = pa.array([*by_path], pa.string())
        for file in log.files:
            first, last = file.first_path or "", file.last_path
            if not any(first <= p and (last is None or p <= last) for p in by_path):
                continue
            keys = log.read([file], ["path"])
            if pc.any(pc.is_in(keys["path"], paths)).as_py():
                rows = log.read([file], ["path", "image"])
                for row in rows.filter(pc.is_in(rows["path"], paths)).to_pylist():
                    found[by_path[row["path"]]] = row["image"]
        return found


def open_collection(
    reduced: str, images: str, pca: PcaFile, backbone: BackboneFolder
) -> Collection:
    """Open the tables and models, and check that they belong together.

    Args:
        reduced: Location of the table `reduced`.
        images: Location of the table `images`.
        pca: The PCA of the root.
        backbone: The backbone that is set.

    Raises:
        FruitsError: A table or model is missing or damaged, or belongs to others.
    """
    log = open_existing_log(reduced)
    fitted: Any = pca.load()
    if fitted.model.digest not in log.source_ids:
        raise FruitsError(
            f"Found {reduced} computed by another PCA than {pca.filepath}; expected this "
            "PCA. Run `kedro run` with the same `root` first, which computes the vectors "
            "again."
        )
    model = backbone.load()
    if (used := log.recipe.get("backbone")) != model.card.sha256:
        raise FruitsError(
            f"Found the backbone {backbone.filepath} with the SHA-256 "
            f"{model.card.sha256[:12]}; expected that of the features, {str(used)[:12]}. "
            "Set backbone_folder to it with --params backbone_folder=..."
        )
    return Collection(model, fitted.model, log, images)
