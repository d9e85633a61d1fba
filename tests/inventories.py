"""Write inventories as S3 does."""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from fake_s3 import Bucket

FOLDER = "reports/photos/daily"
CREATED_AT = datetime(2026, 11, 2, 1, tzinfo=UTC)
TIME = datetime(2026, 11, 1, 12, tzinfo=UTC)

# Types of the documentation of S3; all columns but the first two are optional.
SCHEMA = pa.schema(
    [
        pa.field("bucket", pa.string(), nullable=False),
        pa.field("key", pa.string(), nullable=False),
        pa.field("version_id", pa.string()),
        pa.field("is_latest", pa.bool_()),
        pa.field("is_delete_marker", pa.bool_()),
        pa.field("size", pa.int64()),
        pa.field("last_modified_date", pa.timestamp("ms")),
        pa.field("e_tag", pa.string()),
        pa.field("storage_class", pa.string()),
    ]
)


def md5(content: bytes) -> str:
    """Return the MD5 digest as hexadecimal digits."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def entry(key: str, **values: Any) -> dict[str, Any]:
    """Return the row of an object."""
    row = {"key": key, "is_latest": True, "is_delete_marker": False, "size": 3}
    etag = md5(key.encode())
    times = {"last_modified_date": TIME, "storage_class": "STANDARD", "e_tag": etag}
    return row | times | values


def put_inventory(
    bucket: Bucket,
    *files: Sequence[Mapping[str, Any]],
    omit: Sequence[str] = (),
    **manifest: Any,
) -> str:
    """Write an inventory of a bucket into the same bucket.

    Args:
        bucket: The bucket.
        *files: Rows of each data file.
        omit: Columns that the inventory does not have.
        **manifest: Other values in the manifest.

    Returns:
        The URL of its manifest.
    """
    schema = pa.schema([field for field in SCHEMA if field.name not in omit])
    objects, listed = {}, []
    for number, rows in enumerate(files):
        named = [{"bucket": bucket.name, **row} for row in rows]
        buffer = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(named, schema), buffer, row_group_size=2)
        key, content = f"{FOLDER}/data/{number}.parquet", buffer.getvalue()
        objects[key] = content
        size = len(content)
        listed.append({"key": key, "size": size, "MD5checksum": md5(content)})
    values = {
        "sourceBucket": bucket.name,
        "destinationBucket": f"arn:aws:s3:::{bucket.name}",
        "version": "2016-11-30",
        "creationTimestamp": str(int(CREATED_AT.timestamp() * 1000)),
        "fileFormat": "Parquet",
        "fileSchema": "message s3.inventory { ... }",
        "files": listed,
    }
    content = json.dumps(values | manifest).encode()
    folder = f"{FOLDER}/2026-11-02T01-00Z"
    checksum = md5(content).encode()
    objects |= {f"{folder}/manifest.json": content}
    objects |= {f"{folder}/manifest.checksum": checksum}
    return f"{bucket.put(objects)}/{folder}/manifest.json"
