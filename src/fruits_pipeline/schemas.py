"""The columns of every table, once, as Arrow schemas."""

import pyarrow as pa

KEY = [
    pa.field("path", pa.string()),
    pa.field("photo_id", pa.string()),
    pa.field("label", pa.string()),
    pa.field("split", pa.string()),
    pa.field("series", pa.string()),
]
"""What every row of a photo carries; `path` is the key, the newest row of it wins."""

LISTING = pa.schema(
    [
        pa.field("path", pa.string()),
        pa.field("label", pa.string()),
        pa.field("split", pa.string()),
        pa.field("series", pa.string()),
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
        pa.field("comoment", pa.list_(pa.float64())),
    ]
)

REDUCED = pa.schema([*KEY, pa.field("components", pa.list_(pa.float32()))])

POINTS = pa.schema([*KEY, pa.field("x", pa.float32()), pa.field("y", pa.float32())])
