"""Mutated photos, which a decoder must accept or reject within its limits."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from imaging.decoding.fuzzing import fuzz

from chaos.trial import Result, Trial

PROCESSES = 2
MUTANTS = 100_000
"""Numbers of mutants per seed."""


def run(trial: Trial) -> Iterator[Result]:
    """Decode mutated photos in monitored processes."""
    count = trial.attempts(2_000, MUTANTS)
    first = (trial.seed - 1) * MUTANTS
    bounds = np.linspace(first, first + count, PROCESSES + 1).astype(int).tolist()
    with ThreadPoolExecutor(PROCESSES) as pool:
        results = pool.map(lambda numbers: [*fuzz(*numbers)], pairwise(bounds))
        failures = [failure for result in results for failure in result]
    reasons = "; ".join(f"{failure.number}: {failure.reason}" for failure in failures)
    message = reasons or "accepted or rejected, without a crash or hang"
    yield Result("mutated photo", count, count - len(failures), message=message)
