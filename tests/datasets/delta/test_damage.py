import shutil
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from delta_batches import (
    batch_of_parts,
    batches,
    data_files,
    fail_if_computed,
    stored_ids,
)
from kedro.io import DatasetError

from fruits_pipeline import schemas
from fruits_pipeline.datasets import DeltaBatches, DeltaSpark
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.lineage import Lineage

MAX_MESSAGE = 400
"""Number of characters of a message without the path of the table."""

pytestmark = pytest.mark.usefixtures("spark")


def flip_bit(file: Path) -> None:
    """Flip a bit in the data of the second column."""
    column = pq.ParquetFile(file).metadata.row_group(0).column(1)
    content = bytearray(file.read_bytes())
    content[column.data_page_offset + column.total_compressed_size - 3] ^= 1
    file.write_bytes(content)


def recompute_second_batch(images: DeltaBatches) -> None:
    """Repair `images`, with the batch 000002, and check that 000001 is kept."""
    repaired = DeltaBatches(filepath=images.filepath, table="images")
    repaired.mends = True
    repaired.restore(Lineage(), None)
    repaired.check(Lineage())
    repaired.prepare(Lineage())
    repaired.save({"000001": fail_if_computed, **batches({"000002": ["b"]})})
    assert repaired.saved.batches == ("000002",)
    assert stored_ids(images) == {"000001": ["a"], "000002": ["b"]}


@pytest.mark.parametrize("size", [None, 0, 40], ids=["missing", "empty", "truncated"])
def test_damaged_file_is_refused_and_repaired_by_mend(
    images: DeltaBatches, size: int | None
) -> None:
    images.save(batches({"000001": ["a"], "000002": ["b"]}))
    (file,) = data_files(images, "000002")
    content = file.read_bytes()
    file.unlink()
    if size is not None:
        file.write_bytes(content[:size])
    message = f"{file.name}.* batch 000002 of {images.filepath}.*make mend"
    with pytest.raises(DatasetError, match=message):
        images.load()
    with pytest.raises(FruitsError, match=message):
        images.check(Lineage())
    recompute_second_batch(images)


def test_flipped_bit_is_an_error_with_the_file_name(images: DeltaBatches) -> None:
    images.save(batches({"000001": ["a"]}))
    (file,) = data_files(images)
    flip_bit(file)
    with pytest.raises(Exception, match=f"Found {file} unreadable"):
        images.load()["000001"]().collect()


def test_flipped_bit_is_repaired_by_mend(images: DeltaBatches) -> None:
    images.save(batches({"000001": ["a"], "000002": ["b"]}))
    (file,) = data_files(images, "000002")
    flip_bit(file)
    recompute_second_batch(images)


def test_intact_files_of_a_damaged_batch_are_kept(images: DeltaBatches) -> None:
    images.save(batch_of_parts("ab", schemas.IMAGES))
    data_files(images)[0].unlink()
    images.mends = True
    images.prepare(Lineage())
    assert stored_ids(images) == {"000001": ["b"]}


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"\xff"])
def test_damaged_log_is_reported(images: DeltaBatches, content: bytes) -> None:
    images.save(batches({"000001": ["a"]}))
    for commit in Path(images.filepath).glob("_delta_log/*.json"):
        commit.write_bytes(content)
    with pytest.raises(FruitsError, match=r"_delta_log damaged .* with `make mend`"):
        images.check(Lineage())


def test_message_of_a_log_without_a_commit_is_short(images: DeltaBatches) -> None:
    for batch in ("000001", "000002"):
        images.save(batches({batch: ["a"]}))
    log = sorted(Path(images.filepath).glob("_delta_log/*.json"))
    log[1].unlink()
    with pytest.raises(
        FruitsError, match=r"damaged \(Expected contiguous .*…\)"
    ) as info:
        images.check(Lineage())
    assert len(str(info.value)) < MAX_MESSAGE + len(images.filepath)


# Files and tables of other programs


def test_folder_with_other_files_is_refused(images: DeltaBatches) -> None:
    notes = Path(images.filepath) / "notes.txt"
    notes.parent.mkdir()
    notes.write_text("mine")
    with pytest.raises(DatasetError, match="such as notes.txt, and no table"):
        images.save(batches({"000001": ["a"]}))
    assert notes.read_text() == "mine"


def test_delta_table_of_another_program_is_refused(images: DeltaBatches) -> None:
    pl.DataFrame({"x": [1]}).write_delta(images.filepath)
    with pytest.raises(DatasetError, match="this project did not write"):
        images.save(batches({"000001": ["a"]}))


def test_copy_of_a_file_adds_no_rows_and_is_kept(images: DeltaBatches) -> None:
    images.save(batches({"000001": ["a"]}))
    (file,) = data_files(images)
    copy = file.with_name("part-00000 (copy).parquet")
    copy.write_bytes(file.read_bytes())
    images.save(batches({"000002": ["b"]}))
    assert stored_ids(images) == {"000001": ["a"], "000002": ["b"]}
    assert copy.exists()


def test_copy_of_a_batch_folder_adds_no_rows(images: DeltaBatches) -> None:
    images.save(batches({"000001": ["a"]}))
    folder = Path(images.filepath)
    for name in ("batch=000001 (copy)", "old/batch=000001"):
        shutil.copytree(folder / "batch=000001", folder / name)
    rows = DeltaSpark(filepath=images.filepath, table="images").load()
    assert [(r.batch, r.photo_id) for r in rows.collect()] == [("000001", "a")]
