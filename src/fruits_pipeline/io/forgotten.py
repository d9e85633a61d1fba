"""The list of erased photos. It contains hashes only, so that it is no personal data.

It prevents that an erased photo is ingested again, also under another path.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC
from functools import cached_property
from hashlib import sha256
from itertools import islice

from fruits_pipeline.io.listing import ListedFile

Read = Callable[[Sequence[ListedFile]], Sequence[bytes | OSError]]
"""Function that returns the content of each file, or the error of reading it."""

RECEIPTS = "08_reporting/receipts"
"""Folder of the receipts of erasures, below the root."""

READ_AT_ONCE = 64
"""Number of candidates in memory."""


@dataclass(frozen=True)
class ForgottenPhoto:
    """Hashes of an erased photo.

    Attributes:
        forgotten_at: Time of the erasure, ISO 8601.
        photo: Hash of the `photo_id`; None for a photo that could never be read.
        size: Hash of the size in bytes; None if `photo` is None.
        files: Hashes of the files in the listing: path, size, and ETag or time.
    """

    forgotten_at: str
    photo: str | None
    size: str | None
    files: tuple[str, ...]

    @property
    def key(self) -> str:
        """The hash that identifies the photo."""
        return self.photo or self.files[0]


@dataclass(frozen=True)
class UnfinishedErasure:
    """An erasure that has begun.

    Attributes:
        arguments: Hashes of the arguments of the command.
        photos: Hashes of the photos: `photo`, or the first of `files`.
        stages: Stages whose results are deleted, and must be computed again.
    """

    arguments: tuple[str, ...] = ()
    photos: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()


@dataclass(frozen=True)
class ForgottenPhotos:
    """All erased photos of a root.

    Attributes:
        photos: Hashes of each photo.
        unfinished: The erasure that has begun and not ended; None if there is none.
    """

    photos: tuple[ForgottenPhoto, ...] = ()
    unfinished: UnfinishedErasure | None = None

    @cached_property
    def _ids(self) -> frozenset[str]:
        return frozenset(p.photo for p in self.photos if p.photo)

    @cached_property
    def _sizes(self) -> frozenset[str]:
        return frozenset(p.size for p in self.photos if p.size)

    @cached_property
    def _files(self) -> frozenset[str]:
        return frozenset(file for p in self.photos for file in p.files)

    def has_photo(self, photo_id: str) -> bool:
        """Return whether a photo with this `photo_id` was erased."""
        return hash_text(photo_id) in self._ids

    def has_content(self, content: bytes) -> bool:
        """Return whether these are the bytes of an erased photo."""
        is_candidate = hash_text(str(len(content))) in self._sizes
        return is_candidate and self.has_photo(sha256(content).hexdigest())

    def has_file(self, file: ListedFile) -> bool:
        """Return whether a listed file is unchanged since its photo was erased."""
        return hash_file(file) in self._files

    def has_size(self, file: ListedFile) -> bool:
        """Return whether an erased photo has the size of a file."""
        return hash_text(str(file.size_bytes)) in self._sizes

    def has_argument(self, *spellings: str) -> bool:
        """Return whether the unfinished erasure has this argument in any spelling."""
        hashes = self.unfinished.arguments if self.unfinished else ()
        return not {*map(hash_text, spellings)}.isdisjoint(hashes)

    def add(self, photos: Iterable[ForgottenPhoto]) -> ForgottenPhotos:
        """Return a list with further photos. Entries of the same photo are merged."""
        known = {photo.key: photo for photo in self.photos}
        for photo in photos:
            older = known.get(photo.key)
            files = {*photo.files, *(older.files if older else ())}
            size = older.size if older and older.size else photo.size
            known[photo.key] = replace(
                older or photo, size=size, files=tuple(sorted(files))
            )
        return replace(self, photos=tuple(known.values()))

    def to_json(self) -> bytes:
        """Return the content of the file."""
        return (json.dumps(asdict(self), indent=1) + "\n").encode()

    @classmethod
    def from_json(cls, content: bytes) -> ForgottenPhotos:
        """Return the list in a file.

        Raises:
            LookupError, ValueError, TypeError, AttributeError: The file is damaged.
        """
        values = json.loads(content)
        photos = [
            ForgottenPhoto(**photo | {"files": tuple(photo["files"])})
            for photo in values["photos"]
        ]
        unfinished = values["unfinished"]
        if unfinished:
            lists = {name: tuple(values) for name, values in unfinished.items()}
            unfinished = UnfinishedErasure(**lists)
        return cls(tuple(photos), unfinished)


def hash_text(text: str) -> str:
    """Return the SHA-256 of a text, as hexadecimal digits."""
    return sha256(text.encode(errors="surrogatepass")).hexdigest()


def hash_file(file: ListedFile) -> str:
    """Return the SHA-256 of path, size, and ETag or time of a file."""
    version = file.etag or file.modified_at.astimezone(UTC).isoformat()
    return hash_text("\0".join([file.path, str(file.size_bytes), version]))


@dataclass(frozen=True)
class ForgottenFiles:
    """Listed files that must not be ingested.

    Attributes:
        forgotten: Files with the bytes of erased photos.
        unread: Files that may have these bytes, and could not be read.
    """

    forgotten: frozenset[ListedFile]
    unread: frozenset[ListedFile]


def find_forgotten(
    files: Iterable[ListedFile], photos: ForgottenPhotos, read: Read
) -> ForgottenFiles:
    """Find the erased photos among new files.

    Only files are read that have the size of an erased photo, and are not known from an
    earlier listing.

    Args:
        files: New or changed files.
        photos: The erased photos.
        read: Reads some of the files.
    """
    if not photos.photos:
        return ForgottenFiles(frozenset(), frozenset())
    found: set[ListedFile] = set()
    unread: set[ListedFile] = set()
    candidates = (f for f in files if photos.has_file(f) or photos.has_size(f))
    while chunk := [*islice(candidates, READ_AT_ONCE)]:
        found |= {file for file in chunk if photos.has_file(file)}
        same_size = [file for file in chunk if file not in found]
        for file, content in zip(same_size, read(same_size), strict=True):
            if isinstance(content, OSError):
                unread.add(file)
            elif photos.has_content(content):
                found.add(file)
    return ForgottenFiles(frozenset(found), frozenset(unread))
