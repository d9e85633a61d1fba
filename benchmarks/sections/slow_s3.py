"""An S3 server on the loopback that answers every request after a while.

It has one bucket, which can be located, listed and read, and counts what it is asked:

    python -m benchmarks.sections.slow_s3 PHOTOS_FOLDER LIST_FILE DELAY_MS

It prints its address. `GET /_counts` answers the counts so far, without a delay.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from benchmarks.sections.s3_answers import REGION, Answer, Bucket

BUCKET = "fruits-of-bench"
PREFIX = "photos/"
COUNTS = "/_counts"
REASONS = {200: "OK", 206: "Partial Content", 404: "Not Found", 405: "Not Allowed"}


def main() -> None:
    """Serve until the process is ended."""
    folder, list_file, delay_ms = sys.argv[1:]
    paths = [Path(line) for line in Path(list_file).read_text().splitlines()]
    objects = {
        f"{PREFIX}{path.relative_to(Path(folder).absolute()).as_posix()}": path.read_bytes()
        for path in paths
    }
    server = Server(Bucket(BUCKET, objects), float(delay_ms) / 1000)
    asyncio.run(server.serve())


class Server:
    """Answers requests for a bucket, each after a delay.

    Args:
        bucket: That it has.
        delay: Before each answer, in seconds.
    """

    def __init__(self, bucket: Bucket, delay: float) -> None:
        self.bucket = bucket
        self.delay = delay
        self.counts: Counter[str] = Counter()

    async def serve(self) -> None:
        """Listen on a free port of the loopback, print the address, and go on."""
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        print(f"http://127.0.0.1:{port}", flush=True)
        await server.serve_forever()

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer the requests of one connection, which is kept alive."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                method, target, headers = _parsed(head)
                await reader.readexactly(int(headers.get("content-length", 0)))
                answer = await self._answer(method, target, headers)
                writer.write(_bytes(answer, method))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone
        finally:
            writer.close()

    async def _answer(
        self, method: str, target: str, headers: dict[str, str]
    ) -> Answer:
        if target == COUNTS:
            return Answer(200, json.dumps(self.counts).encode(), {})
        url = urlsplit(target)
        query = {
            name: found[-1]
            for name, found in parse_qs(url.query, keep_blank_values=True).items()
        }
        kind, answer = self.bucket.answer(
            method, unquote(url.path), query, headers.get("range")
        )
        self.counts[kind] += 1
        await asyncio.sleep(self.delay)
        return answer


def _parsed(head: str) -> tuple[str, str, dict[str, str]]:
    first, *lines = head.rstrip().split("\r\n")
    method, target, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines)
    return method, target, {name.lower(): value.strip() for name, _, value in pairs}


def _bytes(answer: Answer, method: str) -> bytes:
    headers = {
        "Content-Length": str(len(answer.body)),
        "x-amz-request-id": "0",
        "x-amz-bucket-region": REGION,
        **answer.headers,
    }
    lines = [f"HTTP/1.1 {answer.status} {REASONS[answer.status]}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"
    return head if method == "HEAD" else head + answer.body


if __name__ == "__main__":
    main()
