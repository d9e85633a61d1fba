"""Run the pipeline on small photos, and inspect the results."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from counting_backbone import CountingBackbone, count_photos, decode_counting
from factories import BACKBONE, PROJECT, jpeg, read_table, truncated_jpeg

from fruits_pipeline.datasets import BackboneFolder
from fruits_pipeline.exit_codes import USER_ERROR
from fruits_pipeline.imaging.fitting import fit
from fruits_pipeline.spark import arrow

KedroRun = Callable[..., Result]
"""Type of the fixture `kedro_run`."""

GOOD_PHOTOS = {
    path: jpeg(seed)
    for seed, path in enumerate(
        [f"Training/Apple Red 1/{i}_100.jpg" for i in range(8)]
        + [f"Training/Kiwi/{i}_100.jpg" for i in range(8)]
        + ["Test/Kiwi/0_100.jpg", "Test/Kiwi/1 100.jpg", "Test/Kiwi/été #2?.jpg"]
        + [f"Test/Lime%20Key/{i}_100.jpg" for i in range(3)]
    )
}
CORRUPT_PHOTOS = {
    "Training/Apple Red 1/text.jpg": b"no photo at all",
    "Training/Kiwi/torn.jpg": truncated_jpeg(90),
}
PHOTOS = GOOD_PHOTOS | CORRUPT_PHOTOS
NEW_PHOTOS = {f"Training/Fig/{i}.jpg": jpeg(200 + i) for i in range(5)}
BATCHES = 3
SETTINGS = {"ingest__photos_per_batch": 10, "preprocess__max_error_rate": 0.2}


@dataclass(frozen=True)
class PipelineRun:
    """A successful run.

    Attributes:
        photos: Folder of photos.
        root: Folder of tables, models and reports.
        embedded: Number of photos that the backbone embedded.
        decoded: Number of photos that were decoded.
    """

    photos: Path
    root: Path
    embedded: int
    decoded: int

    @property
    def summary(self) -> Mapping[str, Any]:
        report = self.root / "08_reporting/run_summary.json"
        summary: Mapping[str, Any] = json.loads(report.read_text())
        return summary

    @property
    def parameters(self) -> dict[str, object]:
        """Parameters to run the pipeline again on these folders."""
        return {"photos": self.photos, "root": self.root, **SETTINGS}

    def copy(self, folder: Path) -> PipelineRun:
        """Copy photos and root to a folder."""
        shutil.copytree(self.photos, folder / "my photos")
        shutil.copytree(self.root, folder / "the root")
        return replace(self, photos=folder / "my photos", root=folder / "the root")


def run_pipeline(
    kedro_run: KedroRun, photos: Path, root: Path, **parameters: object
) -> PipelineRun:
    """Run the pipeline, and fail if it fails.

    Args:
        kedro_run: The fixture.
        photos: Folder of photos.
        root: Folder of tables, models and reports.
        **parameters: Changes of `SETTINGS`.
    """
    with _count_photos(root.parent / f"{time.monotonic_ns()}") as (embedded, decoded):
        result = kedro_run(photos=photos, root=root, **SETTINGS | parameters)
        assert result.exit_code == 0, result.output
        counts = count_photos(embedded), count_photos(decoded)
        return PipelineRun(photos, root, *counts)


@contextmanager
def _count_photos(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Count the photos that are embedded and decoded, in files of two new folders."""
    embedded, decoded = folder / "embedded", folder / "decoded"
    embedded.mkdir(parents=True)
    decoded.mkdir()
    load = BackboneFolder.load

    def load_counting(dataset: BackboneFolder) -> CountingBackbone:
        return CountingBackbone(load(dataset), embedded)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BackboneFolder, "load", load_counting)
        decode = partial(decode_counting, folder=decoded)
        patch.setattr(arrow, "make_canonical", decode)
        yield embedded, decoded


def start_pipeline(
    photos: Path, root: Path, conf: Path = PROJECT / "conf"
) -> subprocess.Popen[bytes]:
    """Start the pipeline in a new process."""
    pairs = {"photos": photos, "root": root, **SETTINGS}.items()
    parameters = ",".join(f"{name.replace('__', '.')}={v}" for name, v in pairs)
    command = [sys.executable, "-W", "ignore", "-m", "kedro", "run"]
    return subprocess.Popen(
        [*command, "--conf-source", str(conf), "--params", parameters],
        cwd=PROJECT,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def error_message(result: Result, exit_code: int = USER_ERROR) -> str:
    """Return the error message of a failed run on one line.

    Fail if the run has another exit code, or if it shows a traceback or an error of Py4J.
    """
    assert result.exit_code == exit_code, result.output
    assert isinstance(result.exception, SystemExit), result.exception
    assert "py4j" not in result.output
    assert "Traceback" not in result.output
    return " ".join(result.output.partition("Error: ")[2].split())


def sorted_rows(root: Path, table: str) -> list[dict[str, Any]]:
    """Return all rows of a table in the order of their keys."""
    key = "batch" if table == "moments" else "path"
    rows: list[dict[str, Any]] = read_table(root, table).sort_by(key).to_pylist()
    return rows


def embed(photo: bytes) -> np.ndarray:
    """Return the features of a canonical photo, computed without Spark."""
    backbone = BackboneFolder(filepath=str(BACKBONE)).load()
    (features,) = backbone.embed([fit(photo, backbone.card.input_size, "crop")])
    return features
