"""Run a process and look at it from outside: time, memory, processors.

Memory is that of the process and all below it, proportional (PSS): pages that forked
workers share count once.
"""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

PROJECT = Path(__file__).parents[1]
MIB = 1024 * 1024
LOOK_EVERY = 1.0  # seconds between two looks at memory; looking has its price
# For what a program leaves running, before it is killed: Java writes its class archive
# after Python's end, for 20 seconds where others use the processors.
SECONDS_TO_END = 60
LAST_LINES = 12
NOT_INSTALLED = 3  # exit status of a contestant without the package that it needs


class RunFailed(Exception):
    """A program ended with an error; says its command and its last lines."""


class NotInstalled(Exception):
    """A contestant misses a package; says which."""


@dataclass(frozen=True)
class Finished:
    """A process that ended well, as seen from outside.

    Attributes:
        wall: Seconds from its start to its end.
        cpu_seconds: Of all its processes, as far as they were seen.
        memory_mib: Its peaks, by program: driver, java, workers, all.
        output: What it printed.
    """

    wall: float
    cpu_seconds: float
    memory_mib: dict[str, float]
    output: str


def measure(
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    project: Path = PROJECT,
) -> Finished:
    """Run a command in the project to its end, and leave no process of it behind.

    Args:
        command: And its arguments.
        log: Folder for what it prints.
        env: Variables added to those of this process.
        project: Checkout that it runs in, and whose code it imports.

    Raises:
        NotInstalled: It ended with the status that says so.
        RunFailed: It ended with another one than 0.
    """
    log.mkdir(parents=True, exist_ok=True)
    out, err = log / "stdout.txt", log / "stderr.txt"
    environ = _environ(env, project)
    spent, begin = _reaped_seconds(), time.monotonic()
    with out.open("wb") as output, err.open("wb") as errors:
        process = subprocess.Popen(
            *(command,), cwd=project, env=environ, stdout=output, stderr=errors
        )
        watch = _Watch(process.pid)
        try:
            while not _has_ended(process):
                watch.look()
            wall = time.monotonic() - begin
        finally:
            watch.end_all()
            process.wait()
    _check(command, process.returncode, out, err)
    cpu = max(watch.cpu_seconds, _reaped_seconds() - spent)
    return Finished(wall, cpu, watch.peaks, out.read_text(errors="replace"))


def _environ(added: Mapping[str, str] | None, project: Path) -> dict[str, str]:
    path = os.pathsep.join([str(project / "src"), str(project)])
    return {**os.environ, "PYTHONPATH": path, "DO_NOT_TRACK": "1", **(added or {})}


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(LOOK_EVERY)
    except subprocess.TimeoutExpired:
        return False
    return True


def _check(command: Sequence[str], status: int, out: Path, err: Path) -> None:
    if status == 0:
        return
    texts = [file.read_text(errors="replace").strip() for file in (out, err)]
    if status == NOT_INSTALLED:
        raise NotInstalled((texts[0] or texts[1]).rpartition("\n")[2])
    last = "\n".join("\n".join(texts).splitlines()[-LAST_LINES:])
    raise RunFailed(f"{' '.join(map(str, command))}\nended with {status}:\n{last}")


def _reaped_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class _Watch:
    """Keeps the peaks of a tree of processes, and knows all that it has seen of it."""

    def __init__(self, pid: int) -> None:
        self.top = psutil.Process(pid)
        self.seen: dict[psutil.Process, float] = {self.top: 0.0}
        self.peaks = {"driver": 0.0, "java": 0.0, "workers": 0.0, "all": 0.0}

    @property
    def cpu_seconds(self) -> float:
        return sum(self.seen.values())

    def look(self) -> None:
        held = dict.fromkeys(self.peaks, 0.0)
        for process in self._tree():
            try:
                used = process.cpu_times()
                self.seen[process] = used.user + used.system
                who = "java" if "java" in process.name() else "workers"
                mib = process.memory_full_info().pss / MIB
            except psutil.Error:
                continue  # gone since it was listed
            held["driver" if process == self.top else who] += mib
            held["all"] += mib
        self.peaks = {who: max(mib, held[who]) for who, mib in self.peaks.items()}

    def _tree(self) -> list[psutil.Process]:
        try:
            return [self.top, *self.top.children(recursive=True)]
        except psutil.Error:
            return []

    def end_all(self) -> None:
        """Wait for what was seen to end, and kill what does not."""
        self.look()  # an interrupted program may have started more
        left = [process for process in self.seen if process.is_running()]
        if self.top in left:  # we were interrupted: it shall not go on alone
            self.top.terminate()
        for process in psutil.wait_procs(left, timeout=SECONDS_TO_END)[1]:
            process.kill()
