"""Process photos in a monitored child process, which a photo may end.

The process that is monitored and the results stay intact if a photo crashes its decoder,
exhausts its memory or takes too long. Results are bytes, so nothing is unpickled.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import resource
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection

from fruits_pipeline.imaging import limits

Process = Callable[[int], bytes]
"""Processes the photo at a position, and returns its result."""

_FORK = multiprocessing.get_context("fork")
_RESULT, _ERROR = b"R", b"E"
GROUP = 16
"""Photos per child process, because a fork takes about 5 ms."""

_FIRST_FILE = 3  # after standard input, output and error

OUT_OF_MEMORY = "needed more memory than available"


@dataclass(frozen=True)
class Limits:
    """Limits for one photo.

    Attributes:
        seconds: Maximum time.
        memory_mib: Memory that is always sufficient, in MiB. The process is stopped at a
            multiple, so that no photo is rejected for memory that the libraries reserve.
    """

    seconds: float
    memory_mib: int

    @property
    def max_mib(self) -> int:
        """Memory that a child process may allocate, in MiB."""
        return 4 * self.memory_mib + 1024


@dataclass(frozen=True)
class Failure:
    """Result of a photo that has ended its process.

    Attributes:
        reason: What happened, to follow "the decoder": "crashed (SIGSEGV)".
    """

    reason: str


def process_isolated(
    process: Process, count: int, limit: Limits
) -> Iterator[bytes | Failure]:
    """Process photos in child processes: groups of photos, and single photos after a failure.

    So a result never depends on a photo that has damaged the memory of its process. A photo
    whose process was killed is processed a second time, because the memory could have been
    exhausted by another process.

    Args:
        process: Function that is called in the child process.
        count: Number of photos, whose positions are 0 to `count` - 1.
        limit: Limits for each photo.

    Yields:
        The result of each photo, in order.
    """
    for start in range(0, count, GROUP):
        group = range(start, min(count, start + GROUP))
        results, code = _run_child(process, group, limit)
        if code == 0 and len(results) == len(group):
            yield from results
        else:
            yield from (_process_one(process, position, limit) for position in group)


def _process_one(process: Process, position: int, limit: Limits) -> bytes | Failure:
    for _ in range(2):
        results, code = _run_child(process, range(position, position + 1), limit)
        if results:
            return results[0]
        if code != -signal.SIGKILL:
            break
    return Failure(_reason(code, limit))


def _run_child(
    process: Process, positions: range, limit: Limits
) -> tuple[list[bytes | Failure], int]:
    """Process photos in a new child process; return the results and its exit code."""
    reader, writer = _FORK.Pipe(duplex=False)
    child = _FORK.Process(target=_process_all, args=(process, positions, limit, writer))
    with warnings.catch_warnings():
        # The driver has threads. The child uses none of their locks, and has a time limit.
        warnings.simplefilter("ignore", DeprecationWarning)
        child.start()
    writer.close()  # so that reading ends when the child ends
    try:
        results = [*_receive(reader)]
        child.join()
        return results, child.exitcode or 0
    finally:
        child.kill()
        child.join()
        reader.close()


def _receive(reader: Connection) -> Iterator[bytes | Failure]:
    while True:
        try:
            message = reader.recv_bytes()
        except (EOFError, OSError):  # OSError: the child has ended while it was sending
            return
        is_error, body = message.startswith(_ERROR), message[len(_ERROR) :]
        yield Failure(body.decode(errors="replace")) if is_error else body


def _process_all(
    process: Process, positions: range, limit: Limits, writer: Connection
) -> None:
    """Process photos in the child process, send the results, and exit with 0 if all are good."""
    _prepare(limit, writer)
    size = limits.memory_mib()
    is_good = True
    for position in limits.limit_time(positions, limit.seconds):
        try:
            message = _RESULT + process(position)
        except Exception as exc:  # an error of this photo, like a crash
            message = _ERROR + describe_error(exc).encode(errors="replace")
            is_good = False
        writer.send_bytes(message)
    # A decoder that keeps much memory could have made other photos of the group fail.
    has_grown = limits.memory_mib() - size > limit.max_mib / 2
    sys.exit(int(has_grown or not is_good))


def describe_error(error: Exception) -> str:
    """Return a reason, as in `Failure`, for an unexpected error of a decoder."""
    if isinstance(error, MemoryError):
        return OUT_OF_MEMORY
    return " ".join(f"raised {type(error).__name__}: {error}".split())


def _prepare(limit: Limits, writer: Connection) -> None:
    logging.disable()  # the process that is monitored knows all failures
    limits.enable_time_limits()
    limits.set_oom_score(limits.CHILD_SCORE)
    limits.limit_memory(limit.max_mib)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Among them is the worker's connection to Spark, which would wait for this process.
    kept = writer.fileno()
    os.closerange(_FIRST_FILE, kept)
    os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))


def _reason(code: int, limit: Limits) -> str:
    if code == -signal.SIGALRM:
        return f"took longer than preprocess.seconds_per_photo = {limit.seconds:g} s"
    if code == -signal.SIGKILL:
        return f"{OUT_OF_MEMORY}, and was killed"
    if code >= 0:
        return f"ended its process with exit code {code}"
    names = {number.value: number.name for number in signal.Signals}
    return f"crashed ({names.get(-code, f'signal {-code}')})"
