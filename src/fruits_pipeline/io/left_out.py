"""Numbers and examples of the files that are left out, by reason."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

SYSTEM_FILE = "system file"
HIDDEN = "hidden"
FOLDER_MARKER = "folder marker"
BELOW_ROOT = "below root"
LINK_LOOP = "link to a parent folder"
NO_EXTENSION = "no extension"
UNUSUAL_EXTENSION = "unusual extension"
NOT_UTF8 = "name is not UTF-8"
NOT_REGULAR = "not a regular file"
BROKEN_LINK = "broken link"
ARCHIVED = "archived in S3 Glacier"
FORGOTTEN = "forgotten"
MAYBE_FORGOTTEN = "of the size of a forgotten photo, and unreadable"

NO_WARNING = {SYSTEM_FILE, HIDDEN, FOLDER_MARKER, BELOW_ROOT, LINK_LOOP, ARCHIVED}
NO_WARNING |= {FORGOTTEN}
"""Reasons of files that are not the user's photos, or have their own warning."""

PHOTO_LIKE = frozenset(
    # Raw files of cameras
    ["3fr", "arw", "cr2", "cr3", "crw", "dcr", "dng", "erf", "fff", "gpr", "iiq", "kdc"]
    + ["mef", "mos", "mrw", "nef", "nrw", "orf", "pef", "raf", "raw", "rw2", "rwl"]
    + ["sr2", "srf", "srw", "x3f"]
    # Other pictures, and films
    + ["heic", "heif", "hif", "avif", "jp2", "j2k", "jpf", "jpx", "jxl", "jxr", "psd"]
    + ["psb", "xcf", "tga", "exr", "hdr", "3gp", "avi", "m4v", "mkv", "mov", "mp4"]
    + ["mts", "webm"]
)
"""Extensions of files that may contain photos, although they cannot be ingested."""

EXAMPLES = 3
"""Number of paths that a message shows for each reason."""

_KIND = re.compile("[a-z0-9]{0,10}")


@dataclass
class PathSample:
    """Number of paths, and the smallest ones.

    Attributes:
        count: Number of paths.
        smallest: The `EXAMPLES` smallest paths, sorted.
    """

    count: int = 0
    smallest: list[str] = field(default_factory=list)

    def add(self, *paths: str) -> None:
        """Add paths."""
        self.merge(PathSample(len(paths), sorted(paths)[:EXAMPLES]))

    def merge(self, other: PathSample) -> None:
        """Add the paths of another sample."""
        self.count += other.count
        self.smallest = sorted(self.smallest + other.smallest)[:EXAMPLES]


class LeftOut:
    """The files that are left out: a number and examples for each reason.

    Counts are kept for each reason and start of an extension, such as `jpg`, so that
    memory does not depend on the number of files.

    Args:
        paths: Paths by reason.
    """

    def __init__(self, paths: Mapping[str, Iterable[str]] | None = None) -> None:
        self._samples: dict[str, dict[str, PathSample]] = {}
        for reason, found in (paths or {}).items():
            for path in found:
                self.add(path, reason)

    def add(self, path: str, reason: str) -> None:
        """Add a path."""
        kinds = self._samples.setdefault(reason, {})
        kinds.setdefault(_kind(path), PathSample()).add(path)

    def merge(self, other: LeftOut) -> None:
        """Add the paths of another object."""
        for reason, found in other._samples.items():
            kinds = self._samples.setdefault(reason, {})
            for kind, sample in found.items():
                kinds.setdefault(kind, PathSample()).merge(sample)

    def counts(self) -> dict[str, int]:
        """Return the number of files by reason."""
        return {reason: sample.count for reason, sample in self._by_reason()}

    def select(self, reasons: Collection[str]) -> LeftOut:
        """Return the files with some of the reasons."""
        found = LeftOut()
        found._samples = {r: k for r, k in self._samples.items() if r in reasons}
        return found

    def overlooked(self, files: int, extensions: Collection[str]) -> LeftOut:
        """Return the files that may be photos.

        These are pictures and films in other formats. If more than 20 files and 10 % are
        left out, these are all of them.

        Args:
            files: Number of all files.
            extensions: File name extensions of photos.
        """
        found = self.select(self._samples.keys() - NO_WARNING)
        if sum(found.counts().values()) > max(20, files / 10):
            return found
        known = PHOTO_LIKE | {*extensions}
        photos = LeftOut()
        for reason, kinds in found._samples.items():
            if like := {kind: kinds[kind] for kind in kinds if kind in known}:
                photos._samples[reason] = like
        return photos

    def describe(self) -> str:
        """Return the number of files of each reason with up to three examples, as text."""
        by_count = sorted(self._by_reason(), key=lambda item: -item[1].count)
        texts = [f"{s.count} {reason}{_examples(reason, s)}" for reason, s in by_count]
        if rest := sum(sample.count for _, sample in by_count[10:]):
            texts[10:] = [f"{rest} others"]
        return ", ".join(texts)

    def _by_reason(self) -> Iterator[tuple[str, PathSample]]:
        for reason, kinds in self._samples.items():
            total = PathSample()
            for sample in kinds.values():
                total.merge(sample)
            yield reason, total

    def __contains__(self, reason: object) -> bool:
        """Return whether files are left out for a reason."""
        return reason in self._samples

    def __bool__(self) -> bool:
        """Return whether any file is left out."""
        return bool(self._samples)

    def __eq__(self, other: object) -> bool:
        """Return whether counts and examples are equal."""
        return isinstance(other, LeftOut) and self._samples == other._samples

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Return the description."""
        return f"<left out: {self.describe() or 'none'}>"


def extension_of(name: str) -> str:
    """Return the extension of a file name, lower case; empty if there is none."""
    return name.rpartition(".")[2].lower() if "." in name else ""


def _kind(path: str) -> str:
    """Return the start of the extension: that of `x.jpg_large` is `jpg`."""
    match = _KIND.match(extension_of(path.rpartition("/")[2]))
    return match[0] if match else ""


def _examples(reason: str, sample: PathSample) -> str:
    """Return the smallest paths as text; none of erased photos, which no log may name."""
    if reason == FORGOTTEN:
        return ""
    return f" (such as {', '.join(map(repr, sample.smallest))})"
