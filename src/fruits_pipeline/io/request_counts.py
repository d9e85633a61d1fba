"""Count the requests to S3 that this process sends, in the categories that S3 bills.

Requests of botocore are counted when they are sent, repetitions included. Delta-rs reports
none; `estimated` has the number of its requests, from what its operations need.
"""

from __future__ import annotations

import re
import threading
from typing import Any, NamedTuple


class Requests(NamedTuple):
    """Number of requests in the categories that S3 bills; deletions are free.

    Attributes:
        writes: PUT, COPY, POST and LIST.
        reads: GET, HEAD and all others.
    """

    writes: int = 0
    reads: int = 0

    def plus(self, other: Requests) -> Requests:
        """Return the sum."""
        return Requests(self.writes + other.writes, self.reads + other.reads)

    def minus(self, other: Requests) -> Requests:
        """Return the difference."""
        return Requests(self.writes - other.writes, self.reads - other.reads)


_FREE = re.compile("Delete|Abort")
_WRITES = re.compile("Put|Copy|Post|List|Create|Upload|Complete")


def category(operation: str) -> Requests:
    """Return one request of an operation, such as `GetObject`, in its category.

    Source: AWS, "Amazon S3 pricing", requests and data retrievals.
    """
    if _FREE.match(operation):
        return Requests()
    return Requests(writes=1) if _WRITES.match(operation) else Requests(reads=1)


class RequestCounter:
    """Counts requests; threads of a process share it."""

    def __init__(self) -> None:
        self.total = Requests()
        self._lock = threading.Lock()

    def add(self, requests: Requests) -> None:
        """Add requests."""
        with self._lock:
            self.total = self.total.plus(requests)

    def add_sent(self, event_name: str, **_: Any) -> None:
        """Add the request of an event `before-send.s3.<operation>` of botocore."""
        self.add(category(event_name.rpartition(".")[2]))


SENT = RequestCounter()
"""Requests of botocore and, as the driver adds them, those of the workers."""

ESTIMATED = RequestCounter()
"""Requests of delta-rs."""
