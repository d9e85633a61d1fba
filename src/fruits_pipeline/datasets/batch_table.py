"""A table of the chain: a folder of batches, each written whole or not at all."""

from __future__ import annotations

import json
import logging
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any
from uuid import uuid4

from fsspec.core import url_to_fs
from kedro.io.core import AbstractDataset
from pyspark.sql import DataFrame as SparkDataFrame
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from fruits_pipeline import parts
from fruits_pipeline.batches import Batches, in_spark
from fruits_pipeline.datasets.changes import accept_change
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.files import write_whole
from fruits_pipeline.parts import Part
from fruits_pipeline.progress import track
from fruits_pipeline.recipes import ChangedRecipe, Recipe

logger = logging.getLogger(__name__)

_GLOB = re.compile(r"[\\*?\[\]{}]")
"""What Spark takes for a pattern in a path to read, unless a backslash precedes it."""

_FILE = re.compile(r".*/batch=(\d+)/(.+)")
_DONE = "_SUCCESS"


class BatchTable(AbstractDataset[Batches, Batches]):
    """Batches in Parquet, of which saving writes only those that are missing.

    A batch is the folder `batch=<name>`, with a file of each of its parts; it is there
    when it has a `_SUCCESS`, the last thing written, so what a killed run leaves
    half-written is written again. `_recipe.json` says what shaped the rows; rows of
    another recipe are refused, or remake the table, but never mix. It also gives the
    table an identity, so that what is made from it is made anew when it is.

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
        files = self._files() if noted else {}
        return Batches(
            names=tuple(sorted(name for name in files if _DONE in files[name])),
            parts=lambda name: [
                parts.stored(f"{self._folder(name)}/{file}")
                for file in files[name]
                if file.endswith(".parquet")
            ],
            read=self._read,
            recipe=noted.get("recipe", {}),
            origin=noted.get("identity"),
        )

    def save(self, data: Batches) -> None:
        """Write the batches that are not there yet, several Spark jobs at a time.

        Raises:
            FruitsError: The table has another recipe, which is to be refused.
        """
        self._accept(data.recipe, data.origin)
        files = self._files()
        self.written = tuple(n for n in data.names if _DONE not in files[n])
        self.photos_written = 0
        for name in files.keys() & set(self.written):
            _delete(self._folder(name))  # what a killed run has left
        missing = {name: data.parts(name) for name in self.written}
        with track(self._title, len(missing)) as advance:
            for photos in _side_by_side(self._write, missing):
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
        _delete(self._note_path)  # first: what is left of the table is then void
        _delete(self.filepath)
        note = json.dumps(wanted | {"identity": uuid4().hex}, indent=2)
        write_whole(self._note_path, note.encode())

    def _write(self, name: str, rows: Sequence[Part]) -> int:
        """Write a batch, and return of how many photos it is."""
        folder = self._folder(name)
        files = [
            parts.written(part, f"{folder}/part-{number:05d}.parquet")
            for number, part in enumerate(rows)
        ]
        counts = in_spark(files, parts.WRITTEN).collect()
        write_whole(f"{folder}/{_DONE}", b"")
        return sum(count.photos for count in counts)

    def _read(self, names: Sequence[str]) -> SparkDataFrame:
        spark = SparkSession.builder.getOrCreate()
        place = _GLOB.sub(r"\\\g<0>", self._spark_path)
        folders = [f"{place}/batch={name}" for name in names]
        rows = spark.read.option("basePath", self._spark_path).parquet(*folders)
        part = F.regexp_extract("_metadata.file_name", r"part-(\d+)", 1).cast("int")
        batch = F.format_string("%06d", "batch")
        return rows.withColumn("part", part).withColumn("batch", batch)

    def _files(self) -> Mapping[str, list[str]]:
        """Return the names of the files of every batch, finished or not."""
        file_system, path = url_to_fs(self.filepath)
        file_system.invalidate_cache()
        files = defaultdict(list)
        for place in sorted(file_system.find(path)):
            if match := _FILE.fullmatch(place):
                files[match[1]].append(match[2])
        return files

    def _folder(self, name: str) -> str:
        return f"{self.filepath}/batch={name}"

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


def _side_by_side(
    write: Callable[[str, Sequence[Part]], int],
    missing: Mapping[str, Sequence[Part]],
) -> Iterator[int]:
    """Write batches, so many at a time that the end of one leaves no processor idle."""
    if not missing:
        return
    spark = SparkSession.builder.getOrCreate()
    tasks = min(map(len, missing.values()))
    jobs = 1 + -(-spark.sparkContext.defaultParallelism // max(1, tasks))
    with ThreadPoolExecutor(jobs) as pool:
        writing = [pool.submit(write, name, rows) for name, rows in missing.items()]
        try:
            for done in as_completed(writing):
                yield done.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _delete(place: str) -> None:
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
