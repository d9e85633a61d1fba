"""A proxy of an S3 server that injects faults into its responses."""

from __future__ import annotations

import http.client
import random
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

RATES = {
    "slow_down": ("503 SlowDown", "GET HEAD PUT POST DELETE"),
    "internal_error": ("500 InternalError", "GET HEAD PUT POST DELETE"),
    "reset": (
        "the connection is reset before the request is read",
        "GET HEAD PUT DELETE",
    ),
    "stall": ("no response for `stall_seconds`", "GET HEAD PUT"),
    "lose_response": ("executed, but the connection is reset", "PUT DELETE"),
    "truncate": ("a part of the body", "GET"),
    "stall_body": ("a part of the body, and then nothing", "GET"),
    "shorten": ("a part of an object, with its own Content-Length", "GET"),
    "flip": ("one byte of an object differs", "GET"),
}
"""Description and HTTP methods of each fault that occurs at random."""

HOP_HEADERS = {"connection", "content-length", "date", "server", "transfer-encoding"}


@dataclass
class Faults:
    """Which faults occur. May be changed while the proxy runs.

    Attributes:
        rates: Probability of each fault in `RATES`, from 0 to 1.
        seed: Seed of the choices, which depend only on method, key and repetition.
        path: Regular expression at the beginning of the keys that are concerned.
        error: Status and error code of all responses; None forwards requests.
        stall_seconds: Duration of a stall.
        missing: Keys that are listed, but do not exist.
        unlisted: Keys that exist, but are not listed.
        counts: Number of requests, and of each fault.
    """

    rates: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    path: str = ""
    error: tuple[int, str] | None = None
    stall_seconds: float = 300
    missing: frozenset[str] = frozenset()
    unlisted: frozenset[str] = frozenset()
    counts: Counter[str] = field(default_factory=Counter)
    _repetitions: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def choose(self, method: str, path: str) -> tuple[str, random.Random]:
        """Return the fault of a request, or an empty string, and a generator for it."""
        key = _key(path)
        with self._lock:
            request = f"{method} {path}"
            self._repetitions[request] += 1
            generator = random.Random(  # noqa: S311 - reproducible faults
                f"{self.seed} {method} {key} {self._repetitions[request]}"
            )
            fault = self._choose(method, key, generator)
            self.counts.update(filter(None, (method, fault)))
            return fault, generator

    def repeated_reads(self, folder: str) -> int:
        """Return how often objects below a folder of the URL were requested again."""
        prefix = f"GET {folder}/"
        return sum(
            count - 1
            for request, count in self._repetitions.items()
            if request.startswith(prefix) and "?" not in request
        )

    def billed_requests(self, excluded: str = "/nothing/") -> tuple[int, int]:
        """Return the number of PUT, POST and LIST, and that of GET and HEAD.

        Args:
            excluded: Part of the URLs that are not counted.
        """
        found: Counter[bool] = Counter()
        for request, count in self._repetitions.items():
            method, _, path = request.partition(" ")
            if method != "DELETE" and excluded not in path:
                is_write = method in ("PUT", "POST") or "list-type=" in path
                found[is_write] += count
        return found[True], found[False]

    def _choose(self, method: str, key: str, generator: random.Random) -> str:
        if not re.match(self.path, key):
            return ""
        for fault, rate in self.rates.items():
            if method in RATES[fault][1].split() and generator.random() < rate:
                return fault
        return ""


def _key(path: str) -> str:
    """Return the key of an object, or the prefix of a listing."""
    url = urlsplit(path)
    key = url.path.lstrip("/").partition("/")[2]
    return unquote(key) or parse_qs(url.query).get("prefix", [""])[0]


@contextmanager
def faulty_s3(server: str, faults: Faults) -> Iterator[str]:
    """Run a proxy on a free port of localhost, and yield its URL.

    Args:
        server: URL of the S3 server.
        faults: The faults.
    """
    stopped = threading.Event()

    class Handler(_Handler):
        pass

    Handler.upstream, Handler.faults, Handler.stopped = server, faults, stopped
    with _Server(("127.0.0.1", 0), Handler) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{proxy.server_port}"
        finally:
            stopped.set()
            proxy.shutdown()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """Ignore clients that close their connection."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    upstream: str
    faults: Faults
    stopped: threading.Event

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        faults = self.faults
        fault, generator = faults.choose(self.command, self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if faults.error:
            self._send_error(*faults.error)
        elif self.command in ("GET", "HEAD") and _key(self.path) in faults.missing:
            self._send_error(404, "NoSuchKey")
        elif fault == "slow_down":
            self._send_error(503, "SlowDown")
        elif fault == "internal_error":
            self._send_error(500, "InternalError")
        elif fault == "reset":
            self._reset()
        elif fault == "stall":
            self.stopped.wait(faults.stall_seconds)
            self._reset()
        else:
            self._forward(body, fault, generator)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET

    def _forward(self, body: bytes, fault: str, generator: random.Random) -> None:
        connection = http.client.HTTPConnection(urlsplit(self.upstream).netloc)
        connection.request(self.command, self.path, body, dict(self.headers.items()))
        response = connection.getresponse()
        content = response.read()
        connection.close()
        if fault == "lose_response":
            self._reset()
            return
        if "list-type=2" in self.path:
            content = self._without_unlisted(content)
        is_object = response.status in (200, 206) and "?" not in self.path
        length, sent = len(content), content
        if fault == "shorten" and is_object:
            sent = content[: generator.randrange(max(1, length))]
            length = len(sent)
        elif fault == "flip" and is_object and content:
            i = generator.randrange(length)
            sent = content[:i] + bytes([content[i] ^ 1]) + content[i + 1 :]
        elif fault in ("truncate", "stall_body"):
            sent = content[: generator.randrange(max(1, length))]
        self._send(response, sent, length)
        if len(sent) < length:
            self.wfile.flush()
            if fault == "stall_body":
                self.stopped.wait(self.faults.stall_seconds)
            self._reset()

    def _send(
        self, response: http.client.HTTPResponse, content: bytes, length: int
    ) -> None:
        self.send_response_only(response.status)
        for name, value in response.getheaders():
            if name.lower() not in HOP_HEADERS:
                self.send_header(name, value)
        if self.command == "HEAD":
            length = int(response.getheader("Content-Length") or 0)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(content)

    def _without_unlisted(self, listing: bytes) -> bytes:
        text = listing.decode()
        for key in self.faults.unlisted:
            entry = rf"<Contents>\s*<Key>{re.escape(key)}</Key>.*?</Contents>"
            text = re.sub(entry, "", text, flags=re.DOTALL)
        return text.encode()

    def _send_error(self, status: int, code: str) -> None:
        body = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _reset(self) -> None:
        """Close the connection with a TCP reset."""
        self.close_connection = True
        option = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)
        self.connection.shutdown(socket.SHUT_RD)
        self.connection.close()
