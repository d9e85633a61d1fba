"""The daemon's own part: workers that Spark no longer wants end in silence."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest

from fruits_pipeline.spark import worker_daemon


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    with socket.socket() as own:
        yield own


def closed(*_: Any) -> NoReturn:
    raise BrokenPipeError


def failing(*_: Any) -> NoReturn:
    raise ValueError("a defect")


def test_a_worker_whose_socket_is_closed_ends(
    sock: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_daemon, "_serve", closed)
    assert worker_daemon.serve(sock, authenticated=True) != 0


def test_a_defect_is_not_silenced(
    sock: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_daemon, "_serve", failing)
    with pytest.raises(ValueError, match="a defect"):
        worker_daemon.serve(sock, authenticated=True)


def test_what_spark_says_is_passed_on(
    sock: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_daemon, "_serve", lambda *_: 0)
    assert worker_daemon.serve(sock, authenticated=False) == 0
