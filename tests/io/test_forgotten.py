import dataclasses
import hashlib
from collections.abc import Sequence
from datetime import timedelta

import pytest
from factories import NOON

from fruits_pipeline.io.forgotten import (
    ForgottenPhoto,
    ForgottenPhotos,
    UnfinishedErasure,
    find_forgotten,
    hash_file,
    hash_text,
)
from fruits_pipeline.io.listing import ListedFile

CONTENT = b"an erased photo"
PHOTO_ID = hashlib.sha256(CONTENT).hexdigest()
FILE = ListedFile("Kiwi/a.jpg", len(CONTENT), NOON)
PHOTO = ForgottenPhoto(
    "2026-11-01", hash_text(PHOTO_ID), hash_text(str(len(CONTENT))), (hash_file(FILE),)
)
PHOTOS = ForgottenPhotos((PHOTO,))


def other(path: str, content: bytes = CONTENT) -> ListedFile:
    """Return a file that is not in the list."""
    return ListedFile(path, len(content), NOON + timedelta(seconds=1))


class Store:
    """Returns contents by path, and records which paths were read."""

    def __init__(self, **contents: bytes | OSError) -> None:
        self.contents = contents
        self.paths: list[str] = []

    def read(self, files: Sequence[ListedFile]) -> list[bytes | OSError]:
        self.paths += [file.path for file in files]
        return [self.contents[file.path] for file in files]


def test_list_contains_hashes_only_and_is_restored_from_json() -> None:
    begun = UnfinishedErasure((hash_text("Kiwi/a.jpg"),), (PHOTO.key,), ("reduce",))
    photos = dataclasses.replace(PHOTOS, unfinished=begun)
    content = photos.to_json()
    assert ForgottenPhotos.from_json(content) == photos
    assert b"Kiwi" not in content
    assert PHOTO_ID.encode() not in content


def test_unchanged_file_is_found_without_reading_it() -> None:
    store = Store()
    found = find_forgotten([FILE], PHOTOS, store.read)
    assert found.forgotten == {FILE}
    assert not store.paths


def test_file_with_an_etag_is_found_regardless_of_its_time() -> None:
    tagged = FILE._replace(etag="tag")
    photos = ForgottenPhotos((dataclasses.replace(PHOTO, files=(hash_file(tagged),)),))
    later = tagged._replace(modified_at=NOON + timedelta(days=1))
    assert photos.has_file(later)
    assert not photos.has_file(later._replace(etag="another tag"))


def test_copy_is_found_by_its_bytes() -> None:
    different = b"another photo!!"
    assert len(different) == len(CONTENT)
    store = Store(copy=CONTENT, different=different)
    files = [other("copy"), other("different", different), other("short", b"-")]
    found = find_forgotten(files, PHOTOS, store.read)
    assert found.forgotten == {files[0]}
    assert not found.unread
    assert store.paths == ["copy", "different"]  # those of the same size


def test_unreadable_file_of_the_same_size_is_reported() -> None:
    found = find_forgotten([other("a")], PHOTOS, Store(a=OSError()).read)
    assert not found.forgotten
    assert found.unread == {other("a")}


def test_nothing_is_read_without_erased_photos() -> None:
    found = find_forgotten([FILE, other("a")], ForgottenPhotos(), Store().read)
    assert not found.forgotten


def test_photo_that_is_erased_again_has_one_entry() -> None:
    copy = ForgottenPhoto("2026-11-02", PHOTO.photo, None, (hash_file(other("b")),))
    (merged,) = PHOTOS.add([copy]).photos
    assert (merged.forgotten_at, merged.size) == (PHOTO.forgotten_at, PHOTO.size)
    assert {*merged.files} == {*PHOTO.files, *copy.files}


def test_photo_that_was_never_read_is_known_by_its_file_only() -> None:
    unread = ForgottenPhoto("2026-11-01", None, None, (hash_file(FILE),))
    photos = ForgottenPhotos().add([unread, unread])
    assert photos.photos == (unread,)
    assert photos.has_file(FILE)
    assert not photos.has_size(FILE)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"photos": [{}]}'])
def test_damaged_list_is_recognised(content: bytes) -> None:
    with pytest.raises((LookupError, ValueError, TypeError)):
        ForgottenPhotos.from_json(content)
