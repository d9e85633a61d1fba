"""The receipt of an erasure, without personal data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fruits_pipeline import __version__
from fruits_pipeline.datasets.erasure.search import SearchResult
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.files import write_atomically
from fruits_pipeline.io.forgotten import RECEIPTS
from fruits_pipeline.io.traces import Traces

NOT_COVERED = (
    "the original files in the photo store",
    "backups, snapshots, and old versions of objects in versioned buckets",
    "copies outside the root, such as exported files, models that were distributed, and "
    "results of other roots",
    "logs of runs, errors.log, and temporary folders of Spark",
    "contents of compressed or encrypted files of other programs",
    "blocks that the file system or disk has not overwritten yet",
    "backbones that were trained on the photos, also if they are below the root",
)

LOST_TERMS = (
    "copies of the photos inside other files, canonical photos, vectors, and paths that "
    "were not given again, of the photos whose rows an interrupted call has deleted: its "
    "file .erasure.json was lost"
)


@dataclass
class Receipt:
    """What an erasure has done.

    Attributes:
        photos: Number of different photos, by their bytes.
        is_resumed: Whether an earlier call was interrupted, and has deleted some rows.
        has_lost_terms: Whether the file of that call is lost with what to search for.
        rows: Number of deleted rows by table.
        versions: Number of deleted old versions by table.
        results: Models and reports that were deleted.
        computed_again: Stages that computed them again.
        backbones: Backbones below the root, which may have learned from the photos.
    """

    photos: int
    is_resumed: bool = False
    has_lost_terms: bool = False
    rows: Mapping[str, int] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)
    results: Sequence[str] = ()
    computed_again: Sequence[str] = ()
    backbones: Sequence[str] = ()

    def write(self, root: str, traces: Traces, result: SearchResult) -> str:
        """Write the receipt, and return its path.

        Raises:
            FruitsError: The search has found traces.
        """
        check_nothing_found(root, result)
        now = datetime.now(UTC)
        path = f"{root.rstrip('/')}/{RECEIPTS}/{now:%Y-%m-%dT%H-%M-%S.%fZ}.json"
        content = json.dumps(self._to_dict(now, traces, result), indent=2) + "\n"
        write_atomically(path, content.encode())
        return path

    def _to_dict(
        self, now: datetime, traces: Traces, result: SearchResult
    ) -> dict[str, Any]:
        return {
            "time": now.isoformat(timespec="seconds"),
            "version": __version__,
            "photos": self.photos,
            "continues_interrupted_erasure": self.is_resumed,
            "rows_deleted": dict(self.rows),
            "old_versions_deleted": dict(self.versions),
            "results_deleted": [*self.results],
            "computed_again": [*self.computed_again],
            "search": {
                "files": result.files,
                "bytes": result.bytes,
                "damaged_files": len(result.unreadable),
                "searched_for": traces.counts(),
                "found": 0,
                "not_searched": f"{result.excluded} files of the photo store",
                "not_searched_for": LOST_TERMS if self.has_lost_terms else "",
            },
            "backbones_below_root": [*self.backbones],
            "not_covered": [*NOT_COVERED],
        }


def check_nothing_found(root: str, result: SearchResult) -> None:
    """Raise if a search has found traces.

    Raises:
        FruitsError: With the files and the kinds of traces.
    """
    if not result.findings:
        return
    examples = "; ".join(
        f"{name} ({', '.join(kinds)})" for name, kinds in [*result.findings.items()][:5]
    )
    raise FruitsError(
        f"Found traces of erased photos in {len(result.findings)} files below {root}: "
        f"{examples}. Expected none; no receipt was written. Files of other programs are "
        "never changed: correct or delete them, and run `kedro forget` again, without any "
        "photos. If a file belongs to this project, report it as a bug."
    )
