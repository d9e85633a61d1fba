"""Identify this machine and its processes."""

from __future__ import annotations

import getpass
import os
from contextlib import suppress
from pathlib import Path


def user_name() -> str:
    """Return the name of the user; the user ID if the user has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def machine_id() -> str | None:
    """Return an id of the running system whose process IDs are those of this process.

    It differs between machines, boots of a machine, and containers; None if it is unknown.
    """
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    return None


def start_time(pid: int) -> int | None:
    """Return the start of a process in clock ticks since the boot; None if unknown."""
    status = _status(pid)
    return int(status[19]) if status else None


def has_ended(pid: int, start: int | None) -> bool:
    """Return whether a process of this machine has ended.

    Args:
        pid: Its id, which another process can have meanwhile.
        start: Its `start_time`.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # a process of another user
        pass
    status = _status(pid)  # None if processes of other users are hidden
    if status is None:
        return False
    return status[0] in "ZX" or start not in {None, int(status[19])}


def is_stopped(pid: int) -> bool:
    """Return whether a signal or a debugger has stopped a process of this machine."""
    status = _status(pid)
    return status is not None and status[0] in "Tt"


def _status(pid: int) -> list[str] | None:
    """Return the fields of `/proc/<pid>/stat` after the command; the first is the state."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()
