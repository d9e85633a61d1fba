"""Search for thousands of byte strings at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

import numpy as np

SAMPLE_BYTES = 64
_WORD_BYTES = 8


class Sample(NamedTuple):
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
    """Byte strings to search for. 64 bytes of each are in memory, and its SHA-256.

    Attributes:
        lengths: Lengths of the byte strings, also of those that were removed.
    """

    def __init__(self) -> None:
        self._by_digest: dict[bytes, Sample] = {}
        self._by_word: dict[int, list[Sample]] = {}
        self._short: list[Sample] = []
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
        self.add_samples([Sample(part, start, len(content), digest)])

    def add_samples(self, samples: Iterable[Sample]) -> None:
        """Add byte strings by their samples."""
        for sample in samples:
            if self._by_digest.setdefault(sample.digest, sample) is sample:
                self.lengths.add(sample.length)
                self._group(sample).append(sample)

    def discard(self, content: bytes) -> None:
        """Remove a byte string, if it is one of these."""
        sample = self._by_digest.pop(sha256(content).digest(), None)
        if sample:
            self._group(sample).remove(sample)

    def samples(self) -> list[Sample]:
        """Return one sample of each byte string."""
        return [*self._by_digest.values()]

    def _group(self, sample: Sample) -> list[Sample]:
        """Return the list of the samples that are searched together with a sample."""
        if len(sample.content) < _WORD_BYTES:
            return self._short
        word = int.from_bytes(sample.content[:_WORD_BYTES], "little")
        return self._by_word.setdefault(word, [])

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


def _matches(content: bytes, position: int, sample: Sample) -> bool:
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
