"""DataFrames of stored tables.

The rows of a table are read by Spark's own Parquet reader, which prunes columns and
filters rows. The files are attached as parts, so that `map_arrow` bypasses the reader.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import from_arrow_schema

from fruits_pipeline import schemas
from fruits_pipeline.spark.active import spark_session
from fruits_pipeline.spark.frames import attach_parts
from fruits_pipeline.spark.parts import StoredPart

_GLOB_CHARACTER = re.compile(r"[\\*?\[\]{}]")


def from_table(folder: str, files: Sequence[str], schema: pa.Schema) -> DataFrame:
    """Return the rows of a table, lazily.

    Args:
        folder: Path or URL of the table.
        files: Paths of its files relative to `folder`: `batch=000001/part-...`.
        schema: Schema of the files; the column `batch` is added.
    """
    spark = spark_session()
    full = from_arrow_schema(pa.schema([*schema, schemas.BATCH]))
    if not files:
        return spark.createDataFrame([], full)
    # Listing a folder takes fewer requests than looking up each file, and the filter
    # excludes the files that are not in the table.
    base = hadoop_path(folder)
    names = ",".join(file.rpartition("/")[2] for file in files)
    reader = spark.read.schema(full).option("basePath", base)
    reader = reader.option("pathGlobFilter", f"{{{names}}}")
    escaped = _GLOB_CHARACTER.sub(r"\\\g<0>", base)
    batches = sorted({file.rpartition("/")[0] for file in files})
    frame = reader.parquet(*(f"{escaped}/{batch}" for batch in batches))
    parts = [StoredPart(f"{folder}/{file}", _batch_of(file), schema) for file in files]
    return attach_parts(frame, parts)


def hadoop_path(path: str) -> str:
    """Return the URL of a folder for Hadoop, whose client of S3 has the scheme `s3a`.

    Local paths become URLs, because Hadoop's default file system can be another one.
    """
    if not re.match(r"[\w+.-]+://", path):
        return f"file:{os.path.abspath(path)}"
    return path.replace("s3://", "s3a://", 1) if path.startswith("s3://") else path


def _batch_of(file: str) -> str:
    return file.partition("/")[0].removeprefix("batch=")
