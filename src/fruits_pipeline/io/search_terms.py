"""What an erasure searches for, as a file that exists until the erasure is complete.

The list of erased photos contains hashes only. After the rows are deleted, a path or a
vector in a file of another program can only be found with this file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from fruits_pipeline.io.byte_samples import Sample
from fruits_pipeline.io.traces import Traces

FILE_NAME = ".erasure.json"
"""Name of the file, below the root. It is not searched."""


@dataclass(frozen=True)
class SearchTerms:
    """What to search for.

    Attributes:
        ids: Values of `photo_id`.
        paths: Paths relative to the photo root.
        samples: Samples of photos, canonical photos, and vectors.
        is_complete: Whether nothing is missing, because the file was never lost.
    """

    ids: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()
    samples: tuple[Sample, ...] = ()
    is_complete: bool = True

    @classmethod
    def from_traces(cls, traces: Traces, is_complete: bool) -> SearchTerms:
        """Return what to search for in a later process."""
        ids, paths = frozenset(traces.ids), frozenset(traces.paths)
        return cls(ids, paths, tuple(traces.values.samples()), is_complete)

    def add_to(self, traces: Traces) -> None:
        """Add these terms to what is searched for."""
        traces.ids |= self.ids
        traces.paths |= self.paths
        traces.values.add_samples(self.samples)

    def to_json(self) -> bytes:
        """Return the content of the file."""
        samples = [
            [s.content.hex(), s.offset, s.length, s.digest.hex()] for s in self.samples
        ]
        values = {
            "ids": sorted(self.ids),
            "paths": sorted(self.paths),
            "samples": samples,
            "is_complete": self.is_complete,
        }
        return json.dumps(values).encode()

    @classmethod
    def from_json(cls, content: bytes) -> SearchTerms:
        """Return the terms in a file.

        Raises:
            LookupError, ValueError, TypeError, AttributeError: The file is damaged.
        """
        values = json.loads(content)
        samples = tuple(
            Sample(bytes.fromhex(part), int(offset), int(length), bytes.fromhex(digest))
            for part, offset, length, digest in values["samples"]
        )
        ids, paths = frozenset(values["ids"]), frozenset(values["paths"])
        return cls(ids, paths, samples, values["is_complete"])
