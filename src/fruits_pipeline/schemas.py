"""Arrow schemas of the tables."""

import pyarrow as pa

KEY = [
    pa.field("path", pa.string()),
    pa.field("photo_id", pa.string()),
    pa.field("label", pa.string()),
    pa.field("split", pa.string()),
    pa.field("series", pa.string()),
]
"""First columns of every table with one row per photo; `path` is the key."""

BATCH = pa.field("batch", pa.string())
"""Partition column of every table; stored in the Delta log, not in the files."""

LISTING = pa.schema(
    [
        pa.field("root", pa.string()),
        pa.field("path", pa.string()),
        pa.field("size_bytes", pa.int64()),
        pa.field("modified_at", pa.timestamp("us", tz="UTC")),
        pa.field("etag", pa.string()),
    ]
)

PHOTOS = pa.schema(
    [
        *KEY,
        pa.field("size_bytes", pa.int64()),
        pa.field("modified_at", pa.timestamp("us", tz="UTC")),
        pa.field("etag", pa.string()),
        pa.field("error", pa.string()),
        pa.field("content", pa.binary()),
    ]
)

IMAGES = pa.schema(
    [
        *KEY,
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("image", pa.binary()),
        pa.field("error", pa.string()),
    ]
)

FEATURES = pa.schema([*KEY, pa.field("features", pa.list_(pa.float32()))])

MOMENTS = pa.schema(
    [
        pa.field("n", pa.int64()),
        pa.field("mean", pa.list_(pa.float64())),
        pa.field("comoment", pa.list_(pa.float64())),  # upper triangle, row by row
        pa.field("keys", pa.string()),  # digest of the `path` and `photo_id` values
    ]
)

REDUCED = pa.schema([*KEY, pa.field("components", pa.list_(pa.float32()))])

WRITE_REPORT = pa.schema(
    [
        pa.field("file", pa.string()),
        pa.field("size_bytes", pa.int64()),
        pa.field("rows", pa.int64()),
        pa.field("errors", pa.int64()),
        pa.field("photos", pa.int64()),
        pa.field("first_path", pa.string()),
        pa.field("last_path", pa.string()),
    ]
)
"""Report of a task on the Parquet file that it wrote; the driver commits the file."""
