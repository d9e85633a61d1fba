import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fruits_pipeline import schemas
from fruits_pipeline.errors import REPAIR, FruitsError
from fruits_pipeline.spark.parquet import read_rows, write_rows

SCHEMA = pa.schema(
    [pa.field("path", pa.string()), pa.field("features", pa.list_(pa.float32()))]
)


def table(*paths: str) -> pa.Table:
    rows = [{"path": path, "features": [1.0, 0.5]} for path in paths]
    return pa.Table.from_pylist(rows, SCHEMA)


def write(rows: pa.Table, folder: str, number: int = 0) -> dict[str, Any]:
    """Write rows, and return the write report."""
    batches = iter(rows.to_batches())
    (report,) = write_rows(batches, folder, rows.schema, number)
    assert report.schema == schemas.WRITE_REPORT
    (row,) = report.to_pylist()
    return dict(row)


def store(rows: pa.Table, folder: str) -> str:
    """Write rows, and return the path of the file."""
    return f"{folder}/{write(rows, folder)['file']}"


@pytest.fixture
def folder(folder: str) -> str:
    """Return the folder of a batch."""
    return f"{folder}/batch=000001"


def test_written_rows_are_read(folder: str) -> None:
    (batch,) = read_rows(store(table("a", "b"), folder))
    assert pa.Table.from_batches([batch]).cast(SCHEMA) == table("a", "b")


def test_write_report_describes_the_file(folder: str) -> None:
    report = write(table("b", "a", "c"), folder)
    file_system, path = fsspec.core.url_to_fs(f"{folder}/{report.pop('file')}")
    assert report == {
        "size_bytes": len(file_system.cat_file(path)),
        "rows": 3,
        "errors": 0,
        "photos": 3,
        "first_path": "a",
        "last_path": "c",
        "retries": 0,
        "without_content": 0,
        "writes": 0,
        "reads": 0,
    }


def test_write_report_of_no_rows(folder: str) -> None:
    report = write(table(), folder)
    assert (report["rows"], report["photos"], report["first_path"]) == (0, 0, None)
    (batch,) = read_rows(f"{folder}/{report['file']}")
    assert (len(batch), batch.schema.names) == (0, SCHEMA.names)


def test_write_report_counts_errors(folder: str) -> None:
    rows = pa.table({"path": ["a", "b", "c"], "error": [None, "empty", "torn"]})
    report = write(rows, folder)
    assert (report["rows"], report["photos"], report["errors"]) == (3, 3, 2)


@pytest.mark.parametrize(("counts", "photos"), [([40, 2], 42), ([0], 0), ([], 0)])
def test_write_report_of_moments_counts_photos(
    folder: str, counts: list[int], photos: int
) -> None:
    report = write(pa.table({"n": pa.array(counts, pa.int64())}), folder)
    assert (report["rows"], report["photos"]) == (len(counts), photos)
    assert (report["first_path"], report["last_path"]) == (None, None)


def test_file_names_contain_the_number_and_are_unique(folder: str) -> None:
    names = [write(table("a"), folder, number=12)["file"] for _ in range(2)]
    assert len({*names}) == 2
    pattern = r"part-00012(-[0-9a-f]{8}){2}(-[0-9a-f]{16}){2}\.parquet"
    assert all(re.fullmatch(pattern, name) for name in names)
    for name in names:
        (batch,) = read_rows(f"{folder}/{name}")
        assert batch["path"].to_pylist() == ["a"]


def test_file_has_the_nullable_schema_of_its_table(folder: str) -> None:
    required = pa.schema([field.with_nullable(False) for field in SCHEMA])
    batches = iter(table("a").cast(required).to_batches())
    (report,) = write_rows(batches, folder, SCHEMA)
    (batch,) = read_rows(f"{folder}/{report['file'][0].as_py()}")
    assert all(field.nullable for field in batch.schema)
    assert batch["features"].type.value_type == pa.float32()


def test_no_file_is_written_if_the_rows_fail(folder: str) -> None:
    def fail_after_one_batch() -> Iterator[pa.RecordBatch]:
        yield from table("a").to_batches()
        raise ValueError("failed")

    with pytest.raises(ValueError, match="failed"):
        list(write_rows(fail_after_one_batch(), folder, SCHEMA))
    file_system, path = fsspec.core.url_to_fs(folder)
    assert file_system.find(path) == []


def test_labels_are_dictionary_encoded_and_bytes_are_not(tmp_path: Path) -> None:
    rows = pa.table({"label": ["Apple"] * 9, "content": [b"1"] * 9})
    group = pq.ParquetFile(store(rows, str(tmp_path))).metadata.row_group(0)
    label, content = (group.column(i) for i in range(2))
    assert label.has_dictionary_page
    assert not content.has_dictionary_page
    assert {label.compression, content.compression} == {"LZ4"}


@pytest.mark.parametrize("length", [0, 50, 300])
def test_truncated_file_is_an_error(folder: str, length: int) -> None:
    path = store(table("a"), folder)
    file_system, name = fsspec.core.url_to_fs(path)
    file_system.pipe_file(name, file_system.cat_file(name)[:length])
    with pytest.raises(FruitsError) as error:
        list(read_rows(path))
    message = str(error.value)
    assert message.startswith(f"Found {path} unreadable (")
    assert message.endswith(REPAIR)


def test_missing_file_is_an_error(folder: str) -> None:
    path = f"{folder}/part-00000.parquet"
    message = f"Found {re.escape(path)} unreadable .*make mend"
    with pytest.raises(FruitsError, match=message):
        list(read_rows(path))


def test_flipped_bit_in_a_photo_is_an_error(folder: str) -> None:
    photo = np.random.default_rng(0).bytes(5000)
    path = store(pa.table({"content": [photo]}), folder)
    file_system, name = fsspec.core.url_to_fs(path)
    content = bytearray(file_system.cat_file(name))
    assert content.count(photo) == 1
    content[content.index(photo) + 2500] ^= 1
    file_system.pipe_file(name, bytes(content))
    with pytest.raises(FruitsError, match=f"Found {re.escape(path)} unreadable"):
        list(read_rows(path))


def test_file_is_read_with_one_request(folder: str) -> None:
    path = store(table("a"), folder)
    file_system, name = fsspec.core.url_to_fs(path)
    content = file_system.cat_file(name)
    requests: list[str] = []

    def cat_file(self: object, path: str, **_: object) -> bytes:
        requests.append(path)
        return bytes(content)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(file_system), "cat_file", cat_file)
        patch.setattr(type(file_system), "open", None)
        (batch,) = read_rows(path)
    assert batch["path"].to_pylist() == ["a"]
    assert len(requests) == 1


def test_columns_that_a_file_lacks_are_null(tmp_path: Path) -> None:
    path = store(pa.table({"b": ["x"], "a": [1]}), str(tmp_path))
    columns = pa.schema([("a", pa.int64()), ("c", pa.binary()), ("b", pa.string())])
    (rows,) = read_rows(path, columns)
    assert rows.schema == columns
    assert rows.to_pylist() == [{"a": 1, "c": None, "b": "x"}]
