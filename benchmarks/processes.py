"""Run a command and measure the time and memory of its process tree."""

import os
import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

PROJECT = Path(__file__).parents[1]
MIB = 1024 * 1024
SAMPLING_SECONDS = 1.0  # measuring memory is expensive
# Java writes its class archive after Python has ended: up to 20 s on a busy machine.
MAX_SHUTDOWN_SECONDS = 60
ERROR_LINES = 12


class CommandError(Exception):
    """A command failed; the message has its exit status and its last lines."""


def measure(
    command: Sequence[str],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    project: Path = PROJECT,
) -> dict[str, Any]:
    """Run a command and wait until all of its processes have ended.

    Args:
        command: Program and arguments.
        log: Folder for `stdout.txt` and `stderr.txt`.
        env: Environment variables to add to those of this process.
        project: Checkout to run in and to import code from.

    Returns:
        `wall`: seconds from start to exit; `cpu_seconds` of all processes; `memory_mib`:
        peaks of `driver` (the process itself), `java`, `workers` and `all`. Memory is
        the proportional set size (PSS): pages that forked workers share count once.

    Raises:
        CommandError: If the exit status is not 0.
    """
    log.mkdir(parents=True, exist_ok=True)
    out, err = log / "stdout.txt", log / "stderr.txt"
    path = f"{project / 'src'}{os.pathsep}{project}"
    environ = {**os.environ, "PYTHONPATH": path, "DO_NOT_TRACK": "1", **(env or {})}
    cpu_before, begin = _cpu_seconds_of_children(), time.monotonic()
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            command, cwd=project, env=environ, stdout=stdout, stderr=stderr
        )
        tree = _ProcessTree(process.pid)
        try:
            while process.returncode is None:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(SAMPLING_SECONDS)
                tree.sample()
            wall = time.monotonic() - begin
        finally:
            process.terminate()  # only if the benchmark was interrupted
            tree.wait_or_kill()
    if process.returncode:
        lines = (out.read_text() + err.read_text()).strip().splitlines()
        message = f"{' '.join(command)}\nended with status {process.returncode}:\n"
        raise CommandError(message + "\n".join(lines[-ERROR_LINES:]))
    # Sampling misses short processes; the system misses those that nobody waited for.
    cpu = max(sum(tree.cpu_seconds.values()), _cpu_seconds_of_children() - cpu_before)
    return {"wall": wall, "cpu_seconds": cpu, "memory_mib": tree.peaks}


def _cpu_seconds_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class _ProcessTree:
    """Peak memory and CPU time of a process and its descendants."""

    def __init__(self, pid: int) -> None:
        self.root = psutil.Process(pid)
        self.cpu_seconds: dict[psutil.Process, float] = {self.root: 0.0}
        self.peaks = dict.fromkeys(("driver", "java", "workers", "all"), 0.0)

    def sample(self) -> None:
        used = dict.fromkeys(self.peaks, 0.0)
        with suppress(psutil.Error):
            for process in [self.root, *self.root.children(recursive=True)]:
                with suppress(psutil.Error):  # the process has ended
                    times = process.cpu_times()
                    self.cpu_seconds[process] = times.user + times.system
                    role = "java" if "java" in process.name() else "workers"
                    mib = process.memory_full_info().pss / MIB
                    used["driver" if process == self.root else role] += mib
                    used["all"] += mib
        self.peaks = {role: max(mib, used[role]) for role, mib in self.peaks.items()}

    def wait_or_kill(self) -> None:
        """Wait for all processes to end; kill those that do not."""
        self.sample()  # finds processes that were started since the last sample
        _, running = psutil.wait_procs(self.cpu_seconds, timeout=MAX_SHUTDOWN_SECONDS)
        for process in running:
            process.kill()
