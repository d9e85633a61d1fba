"""Read a bucket with Spark's binaryFile over s3a, and write the photos as Parquet.

    python -m benchmarks.sections.binary_file ADDRESS PHOTOS ROOT

The jars and settings are those of `conf/ec2`, but for the credentials.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import yaml
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from benchmarks.processes import NOT_INSTALLED, PROJECT
from fruits_pipeline.spark import resources as machine
from fruits_pipeline.spark.jars import with_jars
from fruits_pipeline.spark.java import use_java

S3A = "spark.hadoop.fs.s3a"
STATIC_KEYS = "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider"


def main() -> None:
    """Print a line of JSON, as contestants do."""
    address, photos, root = sys.argv[1:]
    begin = time.monotonic()
    try:
        spark = _session(address, root)
    except Exception as exc:  # Java ends without a word when it cannot resolve them
        print(f"no jars for S3: {str(exc).splitlines()[0]}")
        sys.exit(NOT_INSTALLED)
    ready = time.monotonic()
    files = spark.read.format("binaryFile").option("recursiveFileLookup", "true")
    rows = files.load(photos.replace("s3://", "s3a://", 1))
    table = Path(root, "photos")
    rows.withColumn("photo_id", F.sha2("content", 256)).write.parquet(str(table))
    said = {
        "photos": sum(
            pq.ParquetFile(f).metadata.num_rows for f in table.rglob("*.parquet")
        ),
        "seconds": time.monotonic() - ready,
        "start_seconds": ready - begin,
    }
    spark.stop()
    print(json.dumps(said))


def _session(address: str, root: str) -> SparkSession:
    use_java()
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    text = (PROJECT / "conf/ec2/spark.yml").read_text()
    given = {k: v for k, v in yaml.safe_load(text).items() if "${" not in str(v)}
    sized = machine.session_settings(machine.available_mib(), machine.processors())
    chosen = sized | with_jars(given) | _ours(address, root)
    builder = SparkSession.builder
    for name, value in chosen.items():
        spelled = str(value).lower() if isinstance(value, bool) else str(value)
        builder = builder.config(name, spelled)
    return builder.getOrCreate()


def _ours(address: str, root: str) -> dict[str, str]:
    return {
        "spark.local.dir": f"{root}/local",
        f"{S3A}.buffer.dir": f"{root}/buffer",
        f"{S3A}.endpoint": address,
        f"{S3A}.endpoint.region": os.environ["AWS_REGION"],
        f"{S3A}.path.style.access": "true",
        f"{S3A}.aws.credentials.provider": STATIC_KEYS,
        f"{S3A}.access.key": os.environ["AWS_ACCESS_KEY_ID"],
        f"{S3A}.secret.key": os.environ["AWS_SECRET_ACCESS_KEY"],
    }


if __name__ == "__main__":
    main()
