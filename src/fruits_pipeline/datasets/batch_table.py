"""A table of the chain: a folder of batches, each written whole or not at all."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from fsspec.core import url_to_fs
from kedro.io.core import AbstractDataset
from pyspark.sql import DataFrame as SparkDataFrame
from pyspark.sql import Observation, SparkSession
from pyspark.sql import functions as F

from fruits_pipeline.batches import Batches
from fruits_pipeline.datasets.changes import accept_change
from fruits_pipeline.datasets.files import write_whole
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.progress import track
from fruits_pipeline.recipes import ChangedRecipe, Recipe

logger = logging.getLogger(__name__)

_GLOB = re.compile(r"[\\*?\[\]{}]")
"""What Spark takes for a pattern in a path to read, unless a backslash precedes it."""


class BatchTable(AbstractDataset[Batches, Batches]):
    """Batches in Parquet, of which saving writes only those that are missing.

    A batch is the folder `batch=<name>`; it is there when Spark has left its
    `_SUCCESS`, the last thing written, so what a killed run leaves half-written is
    written again. `_recipe.json` says what shaped the rows; rows of another recipe
    are refused, or remake the table, but never mix. It also gives the table an
    identity, so that what is made from it is made anew when it is.

    Args:
        filepath: Folder or URL of the table.
        changed_recipe: What to do with another recipe: `refuse` it, or `rebuild`.
        metadata: For Kedro-Viz.
    """

    # Kedro's ParallelRunner forks, which a running Spark session does not survive.
    _SINGLE_PROCESS = True

    def __init__(
        self,
        *,
        filepath: str,
        changed_recipe: ChangedRecipe = "refuse",
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self.filepath = filepath
        self.changed_recipe = changed_recipe
        self.metadata = metadata
        self.written: tuple[str, ...] = ()
        self.photos_written = 0

    def load(self) -> Batches:
        """Return the batches that are there; none where there is no table."""
        noted = self._noted()
        # Without a recipe they are what a killed run left undeleted.
        names = self._names() if noted else ()
        return Batches(
            names, self._read, noted.get("recipe", {}), noted.get("identity")
        )

    def save(self, data: Batches) -> None:
        """Write the batches that are not there yet, one Spark job each.

        Raises:
            FruitsError: The table has another recipe, which is to be refused.
        """
        self._accept(data.recipe, data.origin)
        held = set(self._names())
        self.written = tuple(name for name in data.names if name not in held)
        self.photos_written = 0
        with track(self._title, len(self.written)) as advance:
            for name in self.written:
                photos = self._write(name, data.read([name]))
                self.photos_written += photos
                advance(photos)

    def _accept(self, recipe: Recipe, origin: str | None) -> None:
        noted = self._noted()
        wanted = {"recipe": recipe, "origin": origin}
        if noted.items() >= wanted.items():
            return
        if noted:
            accept_change(self.filepath, noted["recipe"], recipe, self.changed_recipe)
            logger.info("%s: made anew", self._title)
        self._clear()
        note = json.dumps(wanted | {"identity": uuid4().hex}, indent=2)
        write_whole(self._note_path, note.encode())

    def _clear(self) -> None:
        """Delete the table, its recipe first: what is left of it is then void."""
        for place in (self._note_path, self.filepath):
            file_system, path = url_to_fs(place)
            if file_system.exists(path):
                file_system.rm(path, recursive=True)
                file_system.invalidate_cache()
            if left := file_system.find(path):  # s3fs does not say what it may not do
                raise FruitsError(
                    f"Found {len(left)} files of {place} that cannot be deleted, such "
                    f"as {left[0]}; expected leave to delete them (s3:DeleteObject), "
                    "to make the table anew."
                )

    def _write(self, name: str, rows: SparkDataFrame) -> int:
        # A row of moments stands for the n photos it was measured on.
        photos = F.col("n") if "n" in rows.columns else F.lit(1)
        counted = Observation()
        (
            rows.drop("batch")
            .observe(counted, F.coalesce(F.sum(photos), F.lit(0)).alias("photos"))
            .write.mode("overwrite")
            .parquet(f"{self._spark_path}/batch={name}")
        )
        return int(counted.get["photos"])

    def _read(self, names: Sequence[str]) -> SparkDataFrame:
        spark = SparkSession.builder.getOrCreate()
        place = _GLOB.sub(r"\\\g<0>", self._spark_path)
        folders = [f"{place}/batch={name}" for name in names]
        rows = spark.read.option("basePath", self._spark_path).parquet(*folders)
        return rows.withColumn("batch", F.format_string("%06d", "batch"))

    def _names(self) -> tuple[str, ...]:
        file_system, path = url_to_fs(self.filepath)
        file_system.invalidate_cache()
        done = re.compile(r".*/batch=(\d+)/_SUCCESS")
        found = (done.fullmatch(name) for name in file_system.find(path))
        return tuple(sorted(match[1] for match in found if match))

    def _noted(self) -> dict[str, Any]:
        file_system, path = url_to_fs(self._note_path)
        try:
            noted: dict[str, Any] = json.loads(file_system.cat_file(path))
        except FileNotFoundError:
            return {}
        return noted

    @property
    def _note_path(self) -> str:
        return f"{self.filepath}/_recipe.json"

    @property
    def _title(self) -> str:
        return self.filepath.rstrip("/").rpartition("/")[-1]

    @property
    def _spark_path(self) -> str:
        """The place as Spark spells it: Hadoop's client for S3 is called s3a."""
        if self.filepath.startswith("s3://"):
            return self.filepath.replace("s3://", "s3a://", 1)
        return self.filepath

    def _exists(self) -> bool:
        return bool(self.load().names)

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self.filepath, "changed_recipe": self.changed_recipe}
