"""An S3 server with one bucket of photos that answers every request after a delay.

Answers are those of the S3 API, version 2006-03-01, without prefixes and ranges.
"""

import asyncio
from bisect import bisect_right
from collections import Counter
from functools import partial
from html import escape
from pathlib import Path
from socket import create_server
from threading import Thread

from aiohttp import web

from benchmarks.context import list_photos

BUCKET, PREFIX, REGION = "fruits-of-bench", "photos", "eu-west-3"
KEYS_PER_LIST = 1000
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
MODIFIED = "2026-01-01T00:00:00.000Z"


class SlowBucket:
    """A bucket that answers each request after `delay` seconds.

    Attributes:
        counts: Number of requests by kind.
    """

    def __init__(self, folder: Path, delay: float) -> None:
        photos = list_photos(folder)
        keys = [f"{PREFIX}/{photo.relative_to(folder).as_posix()}" for photo in photos]
        contents = [photo.read_bytes() for photo in photos]
        self.objects = dict(sorted(zip(keys, contents, strict=True)))
        self.keys = list(self.objects)
        self.delay = delay
        self.counts: Counter[str] = Counter()

    def start(self) -> str:
        """Serve in a thread until the process ends; return the address."""
        app = web.Application()
        app.router.add_get(f"/{BUCKET}", self._answer)
        app.router.add_get(f"/{BUCKET}/{{key:.*}}", self._answer)
        socket = create_server(("127.0.0.1", 0))
        serve = partial(web.run_app, app, sock=socket, print=None, access_log=None)
        Thread(target=serve, kwargs={"handle_signals": False}, daemon=True).start()
        return f"http://127.0.0.1:{socket.getsockname()[1]}"

    async def _answer(self, request: web.Request) -> web.Response:
        """Answer GET or HEAD of the bucket or of an object."""
        kind, response = request.method, web.Response()
        if key := request.match_info.get("key"):
            content = self.objects.get(key)
            response = web.Response(body=content, status=200 if content else 404)
        elif kind == "HEAD":
            kind = "HEAD bucket"
        elif "location" in request.query:
            kind, response = "LOCATION", _xml("LocationConstraint", REGION)
        else:
            token = request.query.get("continuation-token", "")
            kind, response = "LIST", self._list(token)
        self.counts[kind] += 1
        await asyncio.sleep(self.delay)
        return response

    def _list(self, token: str) -> web.Response:
        """Return a page of keys; the token is the last key of the previous page."""
        start = bisect_right(self.keys, token)
        page = self.keys[start : start + KEYS_PER_LIST]
        items = [
            f"<Contents><Key>{escape(key)}</Key><LastModified>{MODIFIED}</LastModified>"
            f"<Size>{len(self.objects[key])}</Size></Contents>"
            for key in page
        ]
        if page and page[-1] != self.keys[-1]:
            items.append("<IsTruncated>true</IsTruncated><NextContinuationToken>")
            items.append(f"{escape(page[-1])}</NextContinuationToken>")
        return _xml("ListBucketResult", "".join(items))


def _xml(name: str, content: str) -> web.Response:
    text = f'<{name} xmlns="{NAMESPACE}">{content}</{name}>'
    return web.Response(text=text, content_type="application/xml")
