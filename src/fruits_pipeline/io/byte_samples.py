"""Search for thousands of byte strings at once."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

import numpy as np

SAMPLE_BYTES = 64
_WORD_BYTES = 8


class _Sample(NamedTuple):
    """A part of a byte string, which is searched before the string is compared.

    Attributes:
        content: The part.
        offset: Its position in the byte string.
        length: Length of the byte string.
        digest: SHA-256 of the byte string.
    """

    content: bytes
    offset: int
    length: int
    digest: bytes


class ByteSamples:
    """Byte strings to search for. 64 bytes of each are in memory, and its SHA-256."""

    def __init__(self) -> None:
        self._by_digest: dict[bytes, _Sample] = {}
        self._by_word: dict[int, list[_Sample]] = {}
        self._short: list[_Sample] = []
        self.lengths: set[int] = set()

    def __len__(self) -> int:
        """Return the number of different byte strings."""
        return len(self._by_digest)

    def __contains__(self, content: bytes) -> bool:
        """Return whether this is one of the byte strings."""
        is_candidate = len(content) in self.lengths
        return is_candidate and sha256(content).digest() in self._by_digest

    def add(self, content: bytes) -> None:
        """Add a byte string; an empty one is ignored."""
        digest = sha256(content).digest()
        if not content or digest in self._by_digest:
            return
        start = max(0, (len(content) - SAMPLE_BYTES) // 2)
        part = content[start : start + SAMPLE_BYTES]
        sample = _Sample(part, start, len(content), digest)
        self._by_digest[digest] = sample
        self.lengths.add(len(content))
        if len(part) < _WORD_BYTES:
            self._short.append(sample)
        else:
            word = int.from_bytes(part[:_WORD_BYTES], "little")
            self._by_word.setdefault(word, []).append(sample)

    def are_in(self, content: bytes) -> bool:
        """Return whether any of the byte strings is a part of a larger one."""
        found = any(
            _matches(content, position, sample)
            for position, word in self._find_words(content)
            for sample in self._by_word[word]
        )
        return found or any(
            _matches(content, position, sample)
            for sample in self._short
            for position in _positions(content, sample.content)
        )

    def _find_words(self, content: bytes) -> Iterator[tuple[int, int]]:
        """Yield the positions of the first eight bytes of samples, with these bytes."""
        words = np.array([*self._by_word], np.uint64)
        is_start = np.zeros(2**16, np.bool_)  # by the first two bytes
        is_start[(words & np.uint64(0xFFFF)).astype(np.intp)] = True
        for offset in range(min(_WORD_BYTES, len(content)) if len(words) else 0):
            count = (len(content) - offset) // _WORD_BYTES
            values = np.frombuffer(content, "<u8", count, offset)
            starts = np.frombuffer(content, "<u2", 4 * count, offset)[::4]
            candidates = np.flatnonzero(is_start[starts])
            found = candidates[np.isin(values[candidates], words)]
            for index in found.tolist():
                yield index * _WORD_BYTES + offset, int(values[index])


def _matches(content: bytes, position: int, sample: _Sample) -> bool:
    start = position - sample.offset
    if start < 0 or not content.startswith(sample.content, position):
        return False
    whole = content[start : start + sample.length]
    return sha256(whole).digest() == sample.digest


def _positions(content: bytes, part: bytes) -> Iterator[int]:
    position = content.find(part)
    while position >= 0:
        yield position
        position = content.find(part, position + 1)
