import socket
from collections.abc import Iterator

import pytest

from fruits_pipeline.spark.worker_daemon import ignore_closed_socket


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    with socket.socket() as connection:
        yield connection


def test_worker_with_a_closed_socket_exits_with_a_status(sock: socket.socket) -> None:
    def worker(sock: socket.socket, authenticated: bool) -> int:
        raise BrokenPipeError

    assert ignore_closed_socket(worker)(sock, authenticated=True) != 0


def test_other_errors_of_a_worker_are_raised(sock: socket.socket) -> None:
    def worker(sock: socket.socket, authenticated: bool) -> int:
        raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        ignore_closed_socket(worker)(sock, authenticated=True)


def test_status_of_a_worker_is_returned(sock: socket.socket) -> None:
    def worker(sock: socket.socket, authenticated: bool) -> int:
        return 0 if authenticated else 7

    assert ignore_closed_socket(worker)(sock, authenticated=True) == 0
    assert ignore_closed_socket(worker)(sock, authenticated=False) == 7
