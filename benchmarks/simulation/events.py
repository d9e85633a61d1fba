"""Discrete events: waves of tasks on workers that can be interrupted."""

from __future__ import annotations

import heapq
import math
import random
from typing import NamedTuple


class Workers(NamedTuple):
    """Workers of a cluster.

    Attributes:
        count: Number of workers.
        cores: Tasks that a worker executes at the same time.
        interruptions_per_hour: Rate at which each worker is lost; 0 for never.
        replacement_s: Seconds until another worker takes its place.
    """

    count: int
    cores: int
    interruptions_per_hour: float = 0.0
    replacement_s: float = 0.0


class Work(NamedTuple):
    """How tasks were executed.

    Attributes:
        seconds: Time until the last task has ended.
        worker_hours: Time for which workers are paid.
        lost_tasks: Tasks that were executed again.
        interruptions: Number of workers that were lost.
    """

    seconds: float
    worker_hours: float
    lost_tasks: int
    interruptions: int


def execute(tasks: int, task_s: float, workers: Workers, seed: int = 0) -> Work:
    """Simulate equal tasks; a worker that is interrupted loses the tasks in progress.

    Args:
        tasks: Number of tasks.
        task_s: Seconds of a task.
        workers: The workers.
        seed: Seed of the interruptions.
    """
    if not workers.interruptions_per_hour:
        seconds = math.ceil(tasks / (workers.count * workers.cores)) * task_s
        return Work(seconds, seconds * workers.count / 3600, 0, 0)
    generator = random.Random(seed)  # noqa: S311 - a simulation
    rate = workers.interruptions_per_hour / 3600
    # Time when the worker is free, its number, and the time of its interruption.
    free = [(0.0, i, _lifetime(rate, generator)) for i in range(workers.count)]
    end, absent, lost, interruptions = 0.0, 0.0, 0, 0
    while tasks:
        now, number, interruption = heapq.heappop(free)
        wave = min(workers.cores, tasks)
        if interruption < now + task_s:
            back = max(now, interruption) + workers.replacement_s
            lost += wave if interruption > now else 0
            interruptions += 1
            absent += workers.replacement_s
            heapq.heappush(free, (back, number, back + _lifetime(rate, generator)))
            continue
        tasks -= wave
        end = max(end, now + task_s)
        heapq.heappush(free, (now + task_s, number, interruption))
    hours = max(0.0, end * workers.count - absent) / 3600
    return Work(end, hours, lost, interruptions)


def _lifetime(rate: float, generator: random.Random) -> float:
    return generator.expovariate(rate)
