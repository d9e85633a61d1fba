"""Photo keys (`path`, `photo_id`) of rows, and their digest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b

import numpy as np
import pyarrow as pa


def photo_keys(rows: pa.Table | pa.RecordBatch) -> Iterator[tuple[str, str]]:
    """Yield (`path`, `photo_id`) of each row; "" is the id of a photo that was not read."""
    ids = (photo_id or "" for photo_id in rows["photo_id"].to_pylist())
    return zip(rows["path"].to_pylist(), ids, strict=True)


def key_digest(keys: Iterable[tuple[str, str]]) -> str:
    """Return the sum of the 64-bit hashes of keys, modulo 2**64, as 16 hex digits.

    The digest does not depend on the order of the keys, and digests can be added.
    """
    return f"{sum(map(_hash, keys)) % 2**64:016x}"


def path_hashes(paths: Iterable[str]) -> np.ndarray:
    """Return the 64-bit hash of each path, `uint64 [n]`."""
    return np.fromiter((_hash((path,)) for path in paths), np.uint64)


def _hash(key: tuple[str, ...]) -> int:
    text = "\0".join(key).encode(errors="surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest())
