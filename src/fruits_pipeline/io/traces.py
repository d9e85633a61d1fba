"""Traces of erased photos, and the search for them in bytes and text."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from fruits_pipeline.io.byte_samples import ByteSamples
from fruits_pipeline.io.forgotten import ForgottenPhotos

ID, PATH, BYTES = "photo_id", "path", "bytes"
"""Kinds of traces."""

_HEX = re.compile(r"[0-9a-fA-F]{64,}")
_JSON_ESCAPE = re.compile(r"((?:\\u[0-9a-fA-F]{4})+)|\\([\"\\/])")
_SEPARATORS = frozenset("\"'`,;:|=<>()[]{}\\&\ufffd")
_ID_LENGTH = 64
_MAX_DEPTH = 3


@dataclass
class Traces:
    """What must not be found after an erasure.

    Attributes:
        forgotten: The erased photos; their ids are recognised by hash.
        photo_root: Path or URL of the photo root, which can precede a path.
        ids: Values of `photo_id`.
        paths: Paths relative to the photo root.
        remaining: Paths of photos that are not erased. They may contain erased paths.
        values: Photos, canonical photos, and vectors.
    """

    forgotten: ForgottenPhotos
    photo_root: str
    ids: set[str] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)
    remaining: frozenset[str] = frozenset()
    values: ByteSamples = field(default_factory=ByteSamples)

    def counts(self) -> dict[str, int]:
        """Return the number of traces of each kind."""
        return {
            "ids": len(self.ids),
            "paths": len(self.paths),
            "photos, canonical photos and vectors": len(self.values),
            "hashes of all erased photos": len(self.forgotten.photos),
        }

    def is_bytes(self, content: bytes) -> bool:
        """Return whether a byte string is one of `values`, or an erased photo."""
        return content in self.values or self.forgotten.has_content(content)

    def is_id(self, text: str) -> bool:
        """Return whether a text is the `photo_id` of an erased photo."""
        return text in self.ids or (
            len(text) == _ID_LENGTH and self.forgotten.has_photo(text)
        )

    def find_in_bytes(self, content: bytes) -> set[str]:
        """Return the kinds of traces in the content of a file or a part of it."""
        is_found = self.values.are_in(content) or self.forgotten.has_content(content)
        found = self.find_in_text(content.decode(errors="replace"))
        return found | {BYTES} if is_found else found

    def find_in_text(self, text: str) -> set[str]:
        """Return the kinds of traces in a text, which may be escaped several times."""
        found: set[str] = set()
        for version in _versions(text):
            if any(map(self._contains_id, _HEX.findall(version))):
                found.add(ID)
            if any(self._contains_path(version, path) for path in self.paths):
                found.add(PATH)
        return found

    def _contains_id(self, digits: str) -> bool:
        lower = digits.lower()
        if len(digits) == _ID_LENGTH:
            return self.is_id(lower)
        return any(photo_id in lower for photo_id in self.ids)

    def _contains_path(self, text: str, path: str) -> bool:
        """Return whether a text contains a path that is not a part of another name."""
        return any(
            self._is_start(text, start)
            and _is_separator(text[start + len(path) : start + len(path) + 1])
            and not self._is_part_of_remaining(text, start, path)
            for start in _positions(text, path)
        )

    def _is_start(self, text: str, start: int) -> bool:
        before = text[max(0, start - 1) : start]
        prefix = f"{self.photo_root.rstrip('/')}/"
        return _is_separator(before) or text.endswith(prefix, 0, start)

    def _is_part_of_remaining(self, text: str, start: int, path: str) -> bool:
        longer = (other for other in self.remaining if path in other)
        return any(
            (first := start - offset) >= 0 and text.startswith(other, first)
            for other in longer
            for offset in _positions(other, path)
        )


def _is_separator(character: str) -> bool:
    is_white = character.isspace() or not character.isprintable()
    return not character or character in _SEPARATORS or is_white


def _positions(text: str, part: str) -> Iterator[int]:
    position = text.find(part)
    while position >= 0:
        yield position
        position = text.find(part, position + 1)


def _versions(text: str) -> Iterator[str]:
    """Yield a text, and what it means if it is written in JSON, a URL or HTML.

    Escapes are removed repeatedly: the log of a Delta table has JSON in JSON. Binary files,
    which contain zeros, have no escapes.
    """
    seen, pending = {text}, [(text, 0)]
    while pending:
        version, depth = pending.pop()
        yield version
        if depth < _MAX_DEPTH and "\0" not in text:
            decoded = {decode(version) for decode in _DECODERS} - seen
            seen |= decoded
            pending += [(other, depth + 1) for other in decoded]


def _decode_json(text: str) -> str:
    return _JSON_ESCAPE.sub(_decode_escape, text)


def _decode_escape(match: re.Match[str]) -> str:
    """Decode a character, or UTF-16 code units: two of them encode an emoji."""
    if match[2]:
        return match[2]
    return bytes.fromhex(match[1].replace("\\u", "")).decode("utf-16-be", "replace")


_DECODERS: Sequence[Callable[[str], str]] = (_decode_json, unquote, html.unescape)


def read_chunks(chunks: Iterable[bytes], overlap: int) -> Iterator[bytes]:
    """Yield chunks that begin with the end of the previous chunk.

    Args:
        chunks: The content of a file in parts.
        overlap: Number of bytes to repeat.
    """
    last = b""
    for chunk in chunks:
        joined = last + chunk
        yield joined
        last = joined[-overlap:] if overlap else b""
