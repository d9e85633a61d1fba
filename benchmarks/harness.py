"""Run the chain and its contestants, and say how each went in the same words."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.processes import PROJECT, Finished, measure

CARRIED = ("ingest", "preprocess", "featurize", "reduce")
"""Stages that carry a photo to its reduced vector; `report` only tells of it."""


@dataclass(frozen=True)
class Run:
    """A program that has run.

    Attributes:
        photos: That it worked on.
        seconds: That this took, without the start.
        start_seconds: That its start took.
        wall: Seconds from its start to its end.
        cpu_seconds: Of all its processes, as far as they were seen.
        memory_mib: Its peaks, by program: driver, java, workers, all.
        stages: Seconds by stage, for the chain.
        detail: What it says of itself.
    """

    photos: int
    seconds: float
    start_seconds: float
    wall: float
    cpu_seconds: float
    memory_mib: dict[str, float]
    stages: dict[str, float] = field(default_factory=dict)
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Photos a second, without the start."""
        return self.photos / self.seconds if self.seconds > 0 else 0.0


def run_chain(  # noqa: PLR0913 - each names itself in a call
    photos: Path,
    root: Path,
    *,
    env: Mapping[str, str] | None = None,
    params: Mapping[str, Any] | None = None,
    arguments: Sequence[str] = (),
    prefix: Sequence[str] = (),
    project: Path = PROJECT,
) -> Run:
    """Run the chain by `kedro run`, from photos to report.

    Args:
        photos: Their folder.
        root: Of the tables; the run writes its log there, too.
        env: Variables added to those of this process.
        params: Further parameters of the run.
        arguments: Further ones of `kedro run`.
        prefix: Command that runs the chain, such as `taskset -c 0`.
        project: Checkout whose chain runs.
    """
    places = {"photos": photos, "root": root, **(params or {})}
    done = kedro(
        *arguments,
        params=places,
        log=root / "log",
        env=env,
        prefix=prefix,
        project=project,
    )
    file = root / "08_reporting/run_summary.json"
    return chain_run(json.loads(file.read_text()), done)


def kedro(
    *arguments: str,
    params: Mapping[str, Any],
    log: Path,
    env: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
    project: Path = PROJECT,
) -> Finished:
    """Run `kedro run` with parameters.

    Raises:
        RunFailed: It failed.
    """
    said = ",".join(f"{name}={value}" for name, value in params.items())
    command = [*prefix, sys.executable, "-m", "kedro", "run", "--params", said]
    return measure([*command, *arguments], log=log, env=env, project=project)


def chain_run(summary: Mapping[str, Any], done: Finished) -> Run:
    """Return the run that a summary of the chain tells of."""
    stages: dict[str, float] = summary["seconds"]
    told = ("batches_written", "components", "rejected")
    return Run(
        photos=summary["photos"],
        seconds=sum(stages.get(stage, 0.0) for stage in CARRIED),
        start_seconds=done.wall - sum(stages.values()),
        wall=done.wall,
        cpu_seconds=done.cpu_seconds,
        memory_mib=done.memory_mib,
        stages=stages,
        detail={name: summary[name] for name in told if name in summary},
    )


def run_program(
    module: str,
    *arguments: str,
    log: Path,
    env: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
    python: str = sys.executable,
) -> Run:
    """Run a module whose last line says, in JSON, what it did.

    Raises:
        NotInstalled: It misses a package.
        RunFailed: It failed.
    """
    done = measure([*prefix, python, "-m", module, *arguments], log=log, env=env)
    said = json.loads(done.output.strip().rpartition("\n")[2])
    return Run(
        photos=said["photos"],
        seconds=said["seconds"],
        start_seconds=said["start_seconds"],
        wall=done.wall,
        cpu_seconds=done.cpu_seconds,
        memory_mib=done.memory_mib,
        detail=said.get("detail", {}),
    )
