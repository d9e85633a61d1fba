from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from delta_batches import photo_row
from factories import arrow_table

from fruits_pipeline import schemas
from fruits_pipeline.spark.inspection import Sample, column_types, inspect
from fruits_pipeline.spark.parquet import write_rows

SAMPLE = Sample(share=1, seed=0)


def write(folder: Path, *ids: str) -> Path:
    """Write a file of photos, and return its path."""
    rows = arrow_table([*map(photo_row, ids)], schemas.PHOTOS)
    batches = iter(rows.to_batches())
    (report,) = write_rows(batches, str(folder), schemas.PHOTOS)
    return folder / report["file"][0].as_py()


def inspect_one(file: Path) -> dict[str, Any]:
    paths = pa.RecordBatch.from_pylist([{"path": file.name}])
    (found,) = inspect(iter([paths]), str(file.parent), SAMPLE)
    row: dict[str, Any] = found.to_pylist()[0]
    return row


def test_inspection_describes_the_content(tmp_path: Path) -> None:
    found = inspect_one(write(tmp_path, "a", "b!"))
    assert [found[n] for n in ("problem", "rows", "errors")] == [None, 2, 1]
    assert [found["first_path"], found["last_path"]] == [
        "Test/Kiwi/a",
        "Test/Kiwi/b",
    ]
    assert len(found["path_hashes"]) == 16
    names = [line.partition("\t")[0] for line in found["columns"].split("\n")]
    assert names == [*column_types(schemas.PHOTOS)]


def test_photo_id_that_is_no_digest_of_the_content_is_found(tmp_path: Path) -> None:
    found = inspect_one(write(tmp_path, "a", "b"))
    assert sorted(found["wrong_ids"]) == ["Test/Kiwi/a", "Test/Kiwi/b"]


def test_each_flipped_byte_is_found(tmp_path: Path) -> None:
    file = write(tmp_path, "a")
    content = file.read_bytes()
    for position in range(0, len(content), 7):
        flipped = bytearray(content)
        flipped[position] ^= 1
        file.write_bytes(flipped)
        assert inspect_one(file)["problem"], position


@pytest.mark.parametrize("content", [b"", b"PAR1", None])
def test_unreadable_file_is_a_problem(tmp_path: Path, content: bytes | None) -> None:
    file = write(tmp_path, "a")
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    assert inspect_one(file)["problem"]
