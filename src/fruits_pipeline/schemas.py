"""Arrow schemas of the tables."""

import pyarrow as pa

TABLES = ("photos", "images", "quality", "features", "moments", "reduced")
"""Names of the tables; each comes after the tables that it is computed from."""

UPSTREAM = {
    "images": "photos",
    "quality": "images",
    "features": "images",
    "moments": "features",
    "reduced": "features",
}
"""Upstream table of each table."""

KEY = [
    pa.field("path", pa.string()),
    pa.field("photo_id", pa.string()),
    pa.field("label", pa.string()),
    pa.field("split", pa.string()),
    pa.field("series", pa.string()),
]
"""First columns of every table with one row per photo; `path` is the key."""

CONTENT = {"photos": "content", "images": "image"}
"""Columns of encoded photos, by table. Null in rows with an error, and if removed."""

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

LISTED = pa.schema(
    [
        pa.field("path", pa.string()),
        pa.field("size_bytes", pa.int64()),
        pa.field("modified_at", pa.timestamp("us", tz="UTC")),
        pa.field("etag", pa.string()),
        pa.field("archived", pa.bool_()),
    ]
)
"""Files below the photo root; `archived` objects must be restored before they are read."""

INGESTED = pa.schema(
    [
        pa.field("path", pa.string()),
        pa.field("size_bytes", pa.int64()),
        pa.field("modified_at", pa.timestamp("us", tz="UTC")),
        pa.field("etag", pa.string()),
        pa.field("id_hash", pa.uint64()),
        pa.field("batch", pa.string()),
    ]
)
"""Listing of the ingested photos; `id_hash` is a hash of `photo_id`, 0 if that is null."""

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

FETCHED = PHOTOS.append(pa.field("retries", pa.int64()))
"""Rows of `PHOTOS` with the number of repeated requests, which is not stored."""

IMAGES = pa.schema(
    [
        *KEY,
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("image", pa.binary()),
        pa.field("error", pa.string()),
    ]
)

QUALITY = pa.schema(
    [
        *KEY,
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("brightness", pa.float32()),
        pa.field("contrast", pa.float32()),
        pa.field("sharpness", pa.float32()),
        pa.field("saturation", pa.float32()),
    ]
)
"""Size of the original photo, and the measures of `imaging.quality`."""

THUMBNAILS = pa.schema(
    [pa.field("path", pa.string()), pa.field("thumbnail", pa.binary())]
)
"""Rows of the report `thumbnails`, which is not a table."""

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
        pa.field("retries", pa.int64()),
        pa.field("without_content", pa.int64()),
        pa.field("writes", pa.int64()),
        pa.field("reads", pa.int64()),
    ]
)
"""Report of a task on the Parquet file that it wrote; the driver commits the file."""

INSPECTION = pa.schema(
    [
        pa.field("path", pa.string()),
        pa.field("problem", pa.string()),
        pa.field("columns", pa.string()),
        pa.field("rows", pa.int64()),
        pa.field("errors", pa.int64()),
        pa.field("photos", pa.int64()),
        pa.field("without_content", pa.int64()),
        pa.field("first_path", pa.string()),
        pa.field("last_path", pa.string()),
        pa.field("keys", pa.string()),
        pa.field("valid_keys", pa.string()),
        pa.field("path_hashes", pa.binary()),
        pa.field("wrong_ids", pa.list_(pa.string())),
    ]
)
"""Content of a data file, or why it cannot be read; see `spark.inspection`."""
