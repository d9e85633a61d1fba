"""Time each step that one worker takes with photos: a program of its own, without Spark.

python -m benchmarks.sections.one_worker LISTFILE WORK
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import simplejpeg

from benchmarks.processes import PROJECT
from fruits_pipeline import schemas
from fruits_pipeline.datasets import BackboneFolder
from fruits_pipeline.imaging import resizing
from fruits_pipeline.models.moments import moments_of
from fruits_pipeline.models.pca import fit
from fruits_pipeline.spark import arrow, parts

SHORT_SIDE, MAX_PIXELS, VARIANCE = 256, 10**8, 0.95
ROUNDS = 5
RULES = [re.compile(r"(?P<label>[^/]+)/[^/]+")]


def main() -> None:
    """Print microseconds a photo, by step: the least of several rounds."""
    list_file, work = Path(sys.argv[1]), Path(sys.argv[2])
    paths = [Path(line) for line in list_file.read_text().splitlines()]
    work.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    spent = _Steps(len(paths))
    _take(paths, work, spent)
    seconds = time.monotonic() - begin
    said = {"photos": len(paths), "seconds": seconds, "start_seconds": 0.0}
    print(json.dumps(said | {"detail": spent.microseconds}))


class _Steps:
    """Microseconds a photo, by step."""

    def __init__(self, photos: int) -> None:
        self.photos = photos
        self.microseconds: dict[str, float] = {}

    def __call__(self, step: str, work: Callable[[], Iterable[Any]]) -> list[Any]:
        best = float("inf")
        for _ in range(ROUNDS):
            begin = time.perf_counter()
            made = list(work())
            best = min(best, time.perf_counter() - begin)
        self.microseconds[step] = round(best / self.photos * 1e6, 1)
        return made


def _take(paths: list[Path], work: Path, spent: _Steps) -> None:
    listing = _listing(paths)
    photos = spent(
        "ingest: read, hash, label", lambda: arrow.fetch(iter([listing]), RULES, 32)
    )
    photos = _stored("photos", photos, work, spent)
    images = spent(
        "preprocess: check",
        lambda: arrow.make_canonical(iter(photos), SHORT_SIDE, MAX_PIXELS),
    )
    images = _stored("images", images, work, spent)
    features = _stored("features", _features(images, spent), work, spent)
    spent("reduce: moments", lambda: arrow.measure(iter(features)))
    vectors = [arrow.vectors(batch["features"]) for batch in features]
    model = fit(
        moments_of(vectors[0]), VARIANCE, standardise=False, max_components=None
    )
    shipped = SimpleNamespace(value=model)
    reduced = spent("reduce: project", lambda: arrow.project(iter(features), shipped))
    _stored("reduced", reduced, work, spent)


def _listing(paths: list[Path]) -> pa.RecordBatch:
    root, now = os.path.commonpath(paths), datetime.now(UTC)
    rows = [
        {
            "root": root,
            "path": os.path.relpath(path, root),
            "size_bytes": path.stat().st_size,
            "modified_at": now,
        }
        for path in paths
    ]
    return pa.RecordBatch.from_pylist(rows, schemas.LISTING)


def _features(images: list[Any], spent: _Steps) -> list[Any]:
    folder = PROJECT / "data/06_models/backbone"
    backbone = BackboneFolder(filepath=str(folder)).load()
    size = backbone.card.input_size
    contents = [content.as_py() for batch in images for content in batch["image"]]
    pixels = spent("featurize: decode", lambda: map(simplejpeg.decode_jpeg, contents))
    fitted = spent(
        "featurize: resize",
        lambda: (
            resizing.resize(one, size, size, (0, 0, one.shape[1], one.shape[0]))
            for one in pixels
        ),
    )
    spent("featurize: infer", lambda: backbone.embed(fitted))
    shipped = SimpleNamespace(value=backbone)
    return spent(
        "featurize: all of these, as in the chain",
        lambda: arrow.embed(iter(images), shipped, "pad"),
    )


def _stored(table: str, rows: list[Any], work: Path, spent: _Steps) -> list[Any]:
    schema = getattr(schemas, table.upper())
    written: list[pa.RecordBatch] = spent(
        f"write {table}",
        lambda: parts.write_rows(iter(rows), str(work / table), schema),
    )
    name = written[0]["file"][0].as_py()
    return spent(f"read {table}", parts.StoredPart(str(work / table / name)))


if __name__ == "__main__":
    main()
