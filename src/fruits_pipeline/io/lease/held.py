"""The lease that this process holds, and its release when the process ends."""

from __future__ import annotations

import atexit
import os
import signal
import threading
from typing import Any, Literal

from fruits_pipeline.io.lease.lease import Lease
from fruits_pipeline.io.lease.taking import take_lease

ConcurrentRun = Literal["refuse", "wait"]
"""Setting: whether to end or to wait if another run holds the lease."""

HELD: list[Lease] = []
"""The lease of this process, which executes one run at a time; empty if there is none."""

SIGNALS = (signal.SIGTERM, signal.SIGHUP)
"""Signals that end a process without the functions registered with `atexit`."""

RELEASE_SECONDS = 5
"""Time to release a lease on a remote store after a signal."""


def hold_lease(root: str, title: str, *, wait: bool = False) -> Lease:
    """Take and return the lease on a root, until `release_lease` or the end of the process.

    Args:
        root: Path or URL of the root.
        title: What this process runs, for the message of other runs.
        wait: Whether to wait while another run holds the lease.

    Raises:
        FruitsError: The root is not writable; or another run holds the lease, and `wait`
            is false.
    """
    release_lease()
    lease = take_lease(root, title, wait=wait)
    HELD.append(lease)
    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, _release_and_end)
    return lease


def check_lease() -> None:
    """Raise if this process holds a lease that another run may have taken over.

    Call it before each commit. It sends no request, unless the process was suspended.

    Raises:
        FruitsError: The lease is lost.
    """
    for lease in HELD:
        lease.check()


@atexit.register
def release_lease() -> None:
    """Release the lease of this process, if there is one."""
    while HELD:
        lease = HELD.pop()
        if lease.holder["pid"] == os.getpid():  # else this is a forked child
            lease.release()


def _release_and_end(number: int, _: Any) -> None:
    """Release the lease, and end this process by the signal."""
    # In a thread, because this one may hold a lock of the client library.
    release = threading.Thread(target=release_lease, daemon=True)
    release.start()
    release.join(RELEASE_SECONDS)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
