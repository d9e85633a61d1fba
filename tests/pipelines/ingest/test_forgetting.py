import hashlib
import logging
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from factories import PROJECT, jpeg, replace_file, write_files

from fruits_pipeline import schemas
from fruits_pipeline.datasets import ExistingPhotos, Listing, PhotoStore
from fruits_pipeline.io.forgotten import (
    ForgottenPhoto,
    ForgottenPhotos,
    UnfinishedErasure,
    hash_file,
    hash_text,
)
from fruits_pipeline.parameters import IngestParameters
from fruits_pipeline.pipelines.ingest.forgetting import leave_out_forgotten

BASE = yaml.safe_load((PROJECT / "conf/base/parameters_ingest.yml").read_text())
PARAMETERS = IngestParameters(**BASE["ingest"])
NOTHING = ExistingPhotos(tuple, 0)
ERASED = jpeg(1)
FILES = {"Kiwi/1.jpg": ERASED, "Kiwi/2.jpg": jpeg(2)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(tmp_path / "my photos", FILES)


@pytest.fixture
def forgotten(folder: Path) -> ForgottenPhotos:
    """Return a list with the photo `Kiwi/1.jpg`."""
    (file,) = (f for f in store(folder).files if f.path == "Kiwi/1.jpg")
    photo_id = hashlib.sha256(ERASED).hexdigest()
    size = hash_text(str(len(ERASED)))
    photo = ForgottenPhoto("", hash_text(photo_id), size, (hash_file(file),))
    return ForgottenPhotos((photo,))


def store(folder: Path) -> Listing:
    return PhotoStore(filepath=str(folder)).load()


def existing(folder: Path, *unread: str) -> ExistingPhotos:
    """Return the content of the table after all files were ingested."""
    rows: list[dict[str, Any]] = [
        file._asdict() | {"id_hash": int(file.path not in unread), "batch": "000001"}
        for file in store(folder).files
    ]
    return ExistingPhotos(lambda: [pa.Table.from_pylist(rows, schemas.INGESTED)], 1)


def paths(listing: Listing) -> set[str]:
    return {file.path for file in listing.files} - listing.excluded.keys()


def test_erased_photos_are_left_out(folder: Path, forgotten: ForgottenPhotos) -> None:
    write_files(folder, {"Fig/renamed.png": ERASED, "Kiwi/3.jpg": jpeg(3)})
    os.utime(folder / "Kiwi/1.jpg")
    result = leave_out_forgotten(store(folder), NOTHING, forgotten, PARAMETERS)
    assert paths(result) == {"Kiwi/2.jpg", "Kiwi/3.jpg"}
    assert result.excluded == {
        "Fig/renamed.png": "forgotten",
        "Kiwi/1.jpg": "forgotten",
    }


def test_new_photo_at_the_path_is_kept(
    folder: Path, forgotten: ForgottenPhotos
) -> None:
    replace_file(folder / "Kiwi/1.jpg", bytes(reversed(ERASED)))
    listing = store(folder)
    result = leave_out_forgotten(listing, NOTHING, forgotten, PARAMETERS)
    assert not result.excluded


def test_ingested_photo_replaced_by_an_erased_one_is_left_out(
    folder: Path, forgotten: ForgottenPhotos
) -> None:
    before = existing(folder)
    replace_file(folder / "Kiwi/2.jpg", ERASED)
    result = leave_out_forgotten(store(folder), before, forgotten, PARAMETERS)
    assert result.excluded == {"Kiwi/2.jpg": "forgotten"}


def test_copy_that_could_not_be_read_before_is_left_out(
    folder: Path, forgotten: ForgottenPhotos
) -> None:
    write_files(folder, {"Kiwi/copy.jpg": ERASED})
    before = existing(folder, "Kiwi/copy.jpg")
    result = leave_out_forgotten(store(folder), before, forgotten, PARAMETERS)
    assert result.excluded == {"Kiwi/copy.jpg": "forgotten"}


def test_unreadable_file_that_may_be_erased_is_left_out_of_this_run(
    folder: Path, forgotten: ForgottenPhotos
) -> None:
    write_files(folder, {"Kiwi/copy.jpg": ERASED})
    listing = store(folder)
    (folder / "Kiwi/copy.jpg").unlink()
    (folder / "Kiwi/copy.jpg").mkdir()  # root may read any file
    result = leave_out_forgotten(listing, NOTHING, forgotten, PARAMETERS)
    reason = "of the size of a forgotten photo, and unreadable"
    assert result.excluded["Kiwi/copy.jpg"] == reason


def test_listing_is_unchanged_without_erased_photos(folder: Path) -> None:
    listing = store(folder)
    result = leave_out_forgotten(listing, NOTHING, ForgottenPhotos(), PARAMETERS)
    assert result is listing


def test_interrupted_erasure_is_reported(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    begun = ForgottenPhotos(unfinished=UnfinishedErasure())
    with caplog.at_level(logging.WARNING):
        leave_out_forgotten(store(folder), NOTHING, begun, PARAMETERS)
    assert "Repeat `kedro forget`" in caplog.text
