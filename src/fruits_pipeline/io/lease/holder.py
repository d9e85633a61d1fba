"""The holder of a lease: who runs what, on which machine, since when."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from fruits_pipeline.io.lease.processes import (
    has_ended,
    is_stopped,
    machine_id,
    start_time,
    user_name,
)


def this_process(title: str) -> Mapping[str, Any]:
    """Return the description of this process as a holder.

    Args:
        title: What the process runs.
    """
    return {
        "id": uuid4().hex,
        "runs": title,
        "user": user_name(),
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "since": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        "machine": machine_id(),
        "process_start": start_time(os.getpid()),
    }


def parse_holder(content: bytes) -> Mapping[str, Any]:
    """Return the holder that a lease describes; empty if the content is damaged."""
    try:
        holder = json.loads(content)
    except ValueError:
        return {}
    return holder if isinstance(holder, dict) else {}


def describe(holder: Mapping[str, Any]) -> str:
    """Return a description of a holder in one line."""
    if not {"runs", "user", "host", "pid", "since"} <= holder.keys():
        return "an unknown process"
    return (
        f"`{holder['runs']}` of {holder['user']} on {holder['host']} (process "
        f"{holder['pid']}, since {holder['since']})"
    )


def is_dead(holder: Mapping[str, Any]) -> bool:
    """Return whether the holder is a process of this machine that has ended."""
    return _is_here(holder) and has_ended(holder["pid"], holder["process_start"])


def is_running(holder: Mapping[str, Any]) -> bool:
    """Return whether the holder is a process of this machine that can renew its lease."""
    return _is_here(holder) and not is_dead(holder) and not is_stopped(holder["pid"])


def _is_here(holder: Mapping[str, Any]) -> bool:
    machine = machine_id()
    is_complete = isinstance(holder.get("pid"), int) and "process_start" in holder
    return is_complete and machine is not None and holder.get("machine") == machine
