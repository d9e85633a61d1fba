import pytest
from kedro.io.core import DatasetError

from fruits_pipeline.datasets import ForgottenFile
from fruits_pipeline.io.files import write_file
from fruits_pipeline.io.forgotten import ForgottenPhoto, ForgottenPhotos


def test_list_is_saved_and_loaded(folder: str) -> None:
    dataset = ForgottenFile(filepath=f"{folder}/forgotten.json")
    assert dataset.load() == ForgottenPhotos()
    photos = ForgottenPhotos((ForgottenPhoto("2026-11-01", "a", "b", ("c",)),))
    dataset.save(photos)
    assert dataset.load() == photos


def test_damaged_list_is_not_taken_for_an_empty_one(folder: str) -> None:
    write_file(f"{folder}/forgotten.json", b'{"photos": [')
    with pytest.raises(DatasetError, match="Restore the file from a backup"):
        ForgottenFile(filepath=f"{folder}/forgotten.json").load()
