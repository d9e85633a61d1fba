"""Photos that end the process of their decoder, by the content of the file."""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from fruits_pipeline import schemas
from fruits_pipeline.imaging.limits import limit_time
from fruits_pipeline.spark.parts import Rows

MARK = b"poison: "
"""Start of the content of a poison photo; the kind follows."""


def crash() -> None:
    """Read the address 0."""
    ctypes.string_at(0)


def hang() -> None:
    """Compute for hours, and hold the global lock."""
    re.match(r"(a+)+$", "a" * 64 + "b")


def hang_unlocked() -> None:
    """Compute for hours, without the global lock."""
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)


def exhaust_memory() -> None:
    """Allocate memory until the limit. Pages that are not written need no real memory."""
    memory = []
    while True:
        memory.append(np.empty(2**28, np.uint8))


def raise_error() -> None:
    """Raise an error that no decoder is expected to raise."""
    raise LookupError("no such\nband")


KINDS: dict[str, tuple[Callable[[], object], str]] = {
    "crash": (crash, "crashed (SIGSEGV)"),
    "abort": (os.abort, "crashed (SIGABRT)"),
    "kill": (
        lambda: os.kill(os.getpid(), signal.SIGKILL),
        "needed more memory than available, and was killed",
    ),
    "memory": (exhaust_memory, "needed more memory than available"),
    "exit": (lambda: os._exit(0), "ended its process with exit code 0"),
    "sys.exit": (lambda: sys.exit(3), "ended its process with exit code 3"),
    "hang": (hang, "took longer than preprocess.seconds_per_photo = 0.5 s"),
    "unlocked hang": (
        hang_unlocked,
        "took longer than preprocess.seconds_per_photo = 0.5 s",
    ),
    "error": (raise_error, "raised LookupError: no such band"),
}
"""What a photo of each kind does, and the reason of its rejection."""

SECONDS = 0.5


def photo(kind: str) -> bytes:
    """Return the content of a poison photo."""
    return MARK + kind.encode()


def swallow(content: bytes) -> None:
    """Do what a poison photo does to its decoder; nothing for other photos."""
    kind = content.removeprefix(MARK).decode(errors="replace")
    if content.startswith(MARK) and kind in KINDS:
        function, _ = KINDS[kind]
        function()


def to_images(rows: Rows) -> Rows:
    """Return the `IMAGES` rows of `PHOTOS` rows; the content is the image."""
    for batch in rows:
        columns = {f.name: pa.nulls(len(batch), f.type) for f in schemas.IMAGES}
        columns |= {field.name: batch[field.name] for field in schemas.KEY}
        columns["image"] = batch["content"]
        yield pa.RecordBatch.from_pydict(columns, schemas.IMAGES)


def decode(rows: Rows) -> Rows:
    """Return the `IMAGES` rows of `PHOTOS` rows, unless a photo ends the process."""
    for batch in rows:
        for content in limit_time(batch["content"].to_pylist(), SECONDS):
            swallow(content)
        yield from to_images(iter([batch]))


def embed(rows: Rows) -> Rows:
    """Return the `FEATURES` rows of `IMAGES` rows without an error."""
    for batch in rows:
        valid = batch.filter(batch["error"].is_null())
        for image in valid["image"].to_pylist():
            swallow(image)
        features = pa.array([[1.0, 2.0]] * len(valid), schemas.FEATURES.types[-1])
        key = [valid[field.name] for field in schemas.KEY]
        yield pa.record_batch([*key, features], schemas.FEATURES)


def die_once(rows: Rows, marker: Path) -> Rows:
    """Return the rows; end the worker if this is the first call with this file."""
    for batch in rows:
        if not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        yield batch
