import pytest
from fake_s3 import Bucket
from kedro.io.core import DatasetError

from fruits_pipeline.datasets import ForgottenFile
from fruits_pipeline.io.files import write_file
from fruits_pipeline.io.forgotten import RECEIPTS, ForgottenPhoto, ForgottenPhotos


@pytest.fixture(params=["local", "s3"])
def root(request: pytest.FixtureRequest) -> str:
    """Return a new root on the local disk, or in a bucket."""
    if request.param == "local":
        return f"{request.getfixturevalue('tmp_path')}/a folder"
    bucket: Bucket = request.getfixturevalue("bucket")
    return f"s3://{bucket.name}/a folder"


def test_list_is_saved_and_loaded(root: str) -> None:
    dataset = ForgottenFile(filepath=f"{root}/forgotten.json")
    assert dataset.load() == ForgottenPhotos()
    photos = ForgottenPhotos((ForgottenPhoto("2026-11-01", "a", "b", ("c",)),))
    dataset.save(photos)
    write_file(f"{root}/{RECEIPTS}/2026.json", b"{}")
    assert dataset.load() == photos


@pytest.mark.parametrize("content", [b"", b"{}", b'{"photos": [', bytes(99), b"null"])
def test_damaged_list_is_not_taken_for_an_empty_one(
    folder: str, content: bytes
) -> None:
    write_file(f"{folder}/forgotten.json", content)
    with pytest.raises(DatasetError, match="Restore the file from a backup"):
        ForgottenFile(filepath=f"{folder}/forgotten.json").load()


def test_lost_list_is_not_taken_for_an_empty_one(root: str) -> None:
    for name in ("1.json", "2.json", "notes.txt"):
        write_file(f"{root}/{RECEIPTS}/{name}", b"{}")
    with pytest.raises(DatasetError, match="Found 2 receipts of erasures .* no list"):
        ForgottenFile(filepath=f"{root}/forgotten.json").load()
