"""Files that a lifecycle rule deletes, the oldest first."""

import shutil
from pathlib import Path

import pytest
from delta_batches import batches
from kedro.io.core import DatasetError

from fruits_pipeline import schemas
from fruits_pipeline.datasets import DeltaBatches, DeltaListing
from fruits_pipeline.lineage import Lineage

pytestmark = pytest.mark.usefixtures("spark")


def stored(folder: Path) -> list[Path]:
    """Return the files of a table, the oldest first."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    files.sort(key=lambda file: file.stat().st_mtime_ns)
    return [file.relative_to(folder) for file in files]


@pytest.mark.parametrize("of_the_log_only", [False, True])
def test_table_is_complete_or_refused(
    photos: DeltaBatches, tmp_path: Path, of_the_log_only: bool
) -> None:
    for run in range(1, 7):  # with a checkpoint
        photos.prepare(Lineage({"a": 1}))
        photos.save(batches({f"{run:06d}": [f"{run}a", f"{run}b"]}, schemas.PHOTOS))
    files = stored(Path(photos.filepath))
    assert any("checkpoint.parquet" in file.name for file in files)
    if of_the_log_only:
        files = [file for file in files if file.parts[0] == "_delta_log"]
    complete, refused = 0, 0
    for count in range(len(files)):
        copy = shutil.copytree(photos.filepath, tmp_path / f"{count}")
        for file in files[:count]:
            (copy / file).unlink()
        try:
            listing = DeltaListing(filepath=str(copy), table="photos").load()
            assert len(listing.runs) == 12
            complete += 1
        except DatasetError as exc:
            assert "make mend" in str(exc)
            refused += 1
    assert complete
    assert refused
