"""What S3 answers about one bucket that is only read: API version 2006-03-01."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import md5
from typing import NamedTuple
from urllib.parse import quote
from xml.sax.saxutils import escape

REGION = "eu-west-3"
MOST_KEYS = 1000  # in one answer to a listing
XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
MODIFIED = "2026-01-01T00:00:00.000Z"
MODIFIED_HTTP = "Thu, 01 Jan 2026 00:00:00 GMT"
RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class Answer(NamedTuple):
    """An answer to a request: status, body and headers of its own."""

    status: int
    body: bytes
    headers: dict[str, str]


@dataclass
class Bucket:
    """A bucket and its objects.

    Attributes:
        name: Of the bucket, the first part of every path.
        objects: By key.
    """

    name: str
    objects: Mapping[str, bytes]

    def __post_init__(self) -> None:
        """Sort the keys for listings, and make the versions of the contents."""
        self.keys = sorted(self.objects)
        self.etags = {
            key: f'"{md5(body, usedforsecurity=False).hexdigest()}"'
            for key, body in self.objects.items()
        }

    def answer(
        self, method: str, path: str, query: Mapping[str, str], asked: str | None
    ) -> tuple[str, Answer]:
        """Return the kind of a request, and the answer to it.

        Args:
            method: GET or HEAD.
            path: `/bucket` or `/bucket/key`, unquoted.
            query: Parameters.
            asked: The header Range.
        """
        bucket, _, key = path.lstrip("/").partition("/")
        if bucket != self.name:
            return "other", _error(404, "NoSuchBucket")
        if method not in ("GET", "HEAD"):
            return "other", _error(405, "MethodNotAllowed")
        if key:
            kind = "HEAD" if method == "HEAD" else "GET"
            return kind, self._object(key, asked)
        if method == "HEAD":
            return "HEAD bucket", Answer(200, b"", {})
        if "location" in query:
            body = f"{XML}<LocationConstraint {NAMESPACE}>{REGION}</LocationConstraint>"
            return "LOCATION", _xml(body)
        return "LIST", _xml(self._listing(query))

    def _object(self, key: str, asked: str | None) -> Answer:
        body = self.objects.get(key)
        if body is None:
            return _error(404, "NoSuchKey")
        headers = {
            "ETag": self.etags[key],
            "Last-Modified": MODIFIED_HTTP,
            "Accept-Ranges": "bytes",
            "Content-Type": "image/jpeg",
        }
        match = RANGE.fullmatch(asked or "")
        if not match:
            return Answer(200, body, headers)
        first, last = int(match[1]), int(match[2] or len(body) - 1)
        part = body[first : last + 1]
        end = first + len(part) - 1
        headers["Content-Range"] = f"bytes {first}-{end}/{len(body)}"
        return Answer(206, part, headers)

    def _listing(self, query: Mapping[str, str]) -> str:
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        most = min(int(query.get("max-keys", MOST_KEYS)), MOST_KEYS)
        token = query.get("continuation-token", "")
        after = bytes.fromhex(token).decode() or query.get("start-after", "")
        entries: list[str] = []
        folder = last = ""
        for key in self.keys[bisect_right(self.keys, after) :]:
            if not key.startswith(prefix) or (folder and key.startswith(folder)):
                last = key if folder and key.startswith(folder) else last
                continue
            if len(entries) == most:
                return self._page(query, entries, last)
            rest, found, _ = key[len(prefix) :].partition(delimiter or "\0")
            folder = f"{prefix}{rest}{delimiter}" if found else ""
            entries.append(_folder(folder) if folder else self._entry(key))
            last = key
        return self._page(query, entries, "")

    def _entry(self, key: str) -> str:
        size, etag = len(self.objects[key]), escape(self.etags[key])
        return (
            f"<Contents><Key>{_key(key)}</Key><LastModified>{MODIFIED}</LastModified>"
            f"<ETag>{etag}</ETag><Size>{size}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
        )

    def _page(self, query: Mapping[str, str], entries: list[str], last: str) -> str:
        token = last.encode().hex()
        more = f"<NextContinuationToken>{token}</NextContinuationToken>"
        return (
            f"{XML}<ListBucketResult {NAMESPACE}><Name>{self.name}</Name>"
            f"<Prefix>{_key(query.get('prefix', ''))}</Prefix>"
            f"<KeyCount>{len(entries)}</KeyCount><MaxKeys>{MOST_KEYS}</MaxKeys>"
            "<EncodingType>url</EncodingType>"
            f"<IsTruncated>{'true' if token else 'false'}</IsTruncated>"
            f"{more if token else ''}{''.join(entries)}</ListBucketResult>"
        )


def _key(key: str) -> str:
    return quote(key, safe="/")


def _folder(prefix: str) -> str:
    return f"<CommonPrefixes><Prefix>{_key(prefix)}</Prefix></CommonPrefixes>"


def _xml(text: str) -> Answer:
    return Answer(200, text.encode(), {"Content-Type": "application/xml"})


def _error(status: int, code: str) -> Answer:
    text = f"{XML}<Error><Code>{code}</Code><Message>{code}</Message></Error>"
    return Answer(status, text.encode(), {"Content-Type": "application/xml"})
