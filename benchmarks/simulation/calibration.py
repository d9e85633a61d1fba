"""Fit unit costs to the measured runs, and compare predictions with other runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import nnls

MEASUREMENTS = Path(__file__).with_name("measurements.json")

RUN_FIGURES = ("wall_s", "cpu_s", "again_cpu_s", "table_bytes", "all_mib")
"""Figures of a run that are predicted."""

LOG_FIGURES = ("read_s", "checkpoint_s", "checkpoint_bytes")
"""Figures of the log of a table that are predicted."""


class Linear(NamedTuple):
    """A cost that grows with the number of photos and batches.

    Attributes:
        start: Cost of a run without photos.
        photo: Cost of each photo.
        batch: Cost of each batch.
    """

    start: float
    photo: float
    batch: float

    def predict(self, photos: float, batches: float) -> float:
        """Return the cost of a run."""
        return self.start + self.photo * photos + self.batch * batches


def batches_of(run: Mapping[str, Any]) -> int:
    """Return the number of batches of a run."""
    return -(-int(run["photos"]) // int(run["photos_per_batch"]))


def fit(rows: Sequence[tuple[float, float]], values: Sequence[float]) -> Linear:
    """Return the costs, none of them negative, with the least squared relative errors.

    Args:
        rows: Numbers of photos and batches.
        values: Measured costs.
    """
    scale = 1 / np.array(values)
    matrix = np.array([(1.0, *row) for row in rows]) * scale[:, np.newaxis]
    costs, _ = nnls(matrix, np.ones(len(values)))
    return Linear(*map(float, costs))


def load() -> dict[str, Any]:
    """Return the measurements."""
    measurements: dict[str, Any] = json.loads(MEASUREMENTS.read_text())
    return measurements


def fit_runs(runs: Sequence[Mapping[str, Any]], figure: str) -> Linear:
    """Return the costs of a figure of runs."""
    rows = [(run["photos"], batches_of(run)) for run in runs]
    return fit(rows, [run[figure] for run in runs])


def fit_logs(logs: Sequence[Mapping[str, Any]], figure: str) -> Linear:
    """Return the costs of a figure of logs; `photo` is the cost of a data file."""
    return fit([(log["files"], 0.0) for log in logs], [log[figure] for log in logs])


def errors(measurements: Mapping[str, Any]) -> list[tuple[str, int, float]]:
    """Return the relative error of each prediction of the runs for validation.

    Wall times of runs that began on a busy machine are left out.

    Returns:
        Figure, number of photos or files, and (predicted - measured) / measured.
    """
    calibration, validation = measurements["calibration"], measurements["validation"]
    found = []
    for figure in RUN_FIGURES:
        costs = fit_runs(calibration["runs"], figure)
        for run in validation["runs"]:
            is_busy = run["load"] > measurements["busy_load"]
            if figure not in run or (figure == "wall_s" and is_busy):
                continue
            predicted = costs.predict(run["photos"], batches_of(run))
            found.append((figure, run["photos"], predicted / run[figure] - 1))
    for figure in LOG_FIGURES:
        costs = fit_logs(calibration["logs"], figure)
        for log in validation["logs"]:
            predicted = costs.predict(log["files"], 0)
            found.append((figure, log["files"], predicted / log[figure] - 1))
    return found
