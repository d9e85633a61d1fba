import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fruits_pipeline import schemas
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.spark import parts
from fruits_pipeline.spark.parts import (
    Part,
    Rows,
    StoredPart,
    in_memory,
    joined,
    run,
    then,
    write_rows,
    written,
)

SCHEMA = pa.schema(
    [pa.field("path", pa.string()), pa.field("features", pa.list_(pa.float32()))]
)


def table(*paths: str) -> pa.Table:
    rows = [{"path": path, "features": [1.0, 0.5]} for path in paths]
    return pa.Table.from_pylist(rows, SCHEMA)


def paths_of(rows: Rows) -> list[list[str]]:
    return [batch["path"].to_pylist() for batch in rows]


def doubled(rows: Rows) -> Rows:
    for batch in rows:
        yield pa.concat_batches([batch, batch])


def report_of(part: Part, folder: str, schema: pa.Schema = SCHEMA) -> dict[str, Any]:
    """Write a part, and return its report."""
    (report,) = written(part, folder, schema, number=0)()
    assert report.schema == schemas.WRITE_REPORT
    (row,) = report.to_pylist()
    return dict(row)


def place_of(part: Part, folder: str, schema: pa.Schema = SCHEMA) -> str:
    """Write a part, and return the place of its file."""
    return f"{folder}/{report_of(part, folder, schema)['file']}"


@pytest.fixture(params=["local", "memory"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    base = str(tmp_path) if request.param == "local" else f"memory://{uuid4().hex}"
    return f"{base}/a table/batch=000001"


def test_a_part_in_memory_yields_its_rows_each_time() -> None:
    part = in_memory(table("a", "b"))
    assert paths_of(part()) == paths_of(part()) == [["a", "b"]]


def test_a_worker_has_few_rows_at_a_time(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "ROWS", 2)
    part = in_memory(table("a", "b", "c"))
    assert paths_of(part()) == [["a", "b"], ["c"]]
    stored = StoredPart(place_of(part, folder))
    assert paths_of(stored()) == [["a", "b"], ["c"]]


def test_joined_parts_yield_their_rows_in_order() -> None:
    both = joined([in_memory(table("a")), in_memory(table("b"))])
    assert paths_of(both()) == [["a"], ["b"]]


def test_a_step_is_applied_to_the_rows() -> None:
    assert paths_of(then(in_memory(table("a")), doubled)()) == [["a", "a"]]


def test_what_is_written_is_read_again(folder: str) -> None:
    (batch,) = StoredPart(place_of(in_memory(table("a", "b")), folder))()
    assert pa.Table.from_batches([batch]).cast(SCHEMA) == table("a", "b")


@pytest.mark.parametrize("paths", [("a", "b"), ()])
def test_rows_of_a_table_have_the_name_of_their_batch(
    folder: str, paths: tuple[str, ...]
) -> None:
    place = place_of(in_memory(table(*paths)), folder)
    (batch,) = StoredPart(place, batch="000007")()
    assert batch.schema.names == ["path", "features", "batch"]
    assert batch.schema.field("batch") == schemas.BATCH
    assert batch["path"].to_pylist() == [*paths]
    assert batch["batch"].to_pylist() == ["000007"] * len(paths)


def test_a_report_describes_the_file(folder: str) -> None:
    report = report_of(in_memory(table("b", "a", "c")), folder)
    place = f"{folder}/{report.pop('file')}"
    file_system, path = fsspec.core.url_to_fs(place)
    assert report == {
        "size_bytes": len(file_system.cat_file(path)),
        "rows": 3,
        "errors": 0,
        "photos": 3,
        "first_path": "a",
        "last_path": "c",
    }


def test_rows_with_an_error_are_counted(folder: str) -> None:
    rows = pa.table({"path": ["a", "b", "c"], "error": [None, "empty", "torn"]})
    report = report_of(in_memory(rows), folder, rows.schema)
    assert (report["rows"], report["photos"], report["errors"]) == (3, 3, 2)


@pytest.mark.parametrize(("counts", "photos"), [([40, 2], 42), ([0], 0), ([], 0)])
def test_a_row_of_moments_is_counted_as_its_photos(
    folder: str, counts: list[int], photos: int
) -> None:
    moments = pa.table({"n": pa.array(counts, pa.int64())})
    report = report_of(in_memory(moments), folder, moments.schema)
    assert (report["rows"], report["photos"]) == (len(counts), photos)
    assert (report["first_path"], report["last_path"]) == (None, None)


def test_a_file_is_named_by_its_number_and_never_as_another(folder: str) -> None:
    names = [
        report.to_pylist()[0]["file"]
        for _ in range(2)
        for report in write_rows(in_memory(table("a"))(), folder, SCHEMA, number=12)
    ]
    assert len({*names}) == 2
    assert all(re.fullmatch(r"part-00012(-[0-9a-f]{16}){3}\.parquet", n) for n in names)
    stored = [StoredPart(f"{folder}/{name}") for name in names]
    assert [paths_of(part()) for part in stored] == [[["a"]], [["a"]]]


@pytest.mark.parametrize(
    "make", [in_memory, lambda rows: then(in_memory(rows), doubled)]
)
def test_a_part_without_rows_yields_one_empty_batch(
    make: Callable[[pa.Table], Part], folder: str
) -> None:
    (empty,) = make(table())()
    assert len(empty) == 0
    report = report_of(make(table()), folder)
    assert (report["rows"], report["photos"], report["first_path"]) == (0, 0, None)
    (found,) = StoredPart(f"{folder}/{report['file']}")()
    assert (len(found), found.schema.names) == (0, SCHEMA.names)


def test_a_file_has_the_schema_of_its_table_whatever_spark_made_of_it(
    folder: str,
) -> None:
    required = pa.schema([field.with_nullable(False) for field in SCHEMA])
    place = place_of(in_memory(table("a").cast(required)), folder)
    (batch,) = StoredPart(place)()
    assert all(field.nullable for field in batch.schema)
    assert batch["features"].type.value_type == pa.float32()


def test_a_worker_runs_the_parts_whose_numbers_it_is_given() -> None:
    numbers = (pa.record_batch([pa.array([n])], ["id"]) for n in (2, 0))
    found = run(numbers, [in_memory(table(path)) for path in "abc"])
    assert paths_of(found) == [["c"], ["a"]]


def test_a_part_travels_to_a_worker(folder: str) -> None:
    stored = StoredPart(place_of(in_memory(table("a")), folder), batch="000001")
    steps = then(joined([in_memory(table("b"))]), doubled)
    for part in (stored, written(steps, folder, SCHEMA, number=0)):
        (found,) = pickle.loads(pickle.dumps(part))()
        assert len(found) == 1


def test_a_step_that_fails_leaves_no_file(folder: str) -> None:
    def broken(rows: Rows) -> Rows:
        yield next(rows)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        report_of(then(in_memory(table("a")), broken), folder)
    file_system, path = fsspec.core.url_to_fs(folder)
    assert file_system.find(path) == []


def test_labels_are_stored_once_and_bytes_as_they_are(tmp_path: Path) -> None:
    rows = pa.table({"label": ["Apple"] * 9, "content": [b"1"] * 9})
    place = place_of(in_memory(rows), str(tmp_path), rows.schema)
    group = pq.ParquetFile(place).metadata.row_group(0)
    label, content = (group.column(i) for i in range(2))
    assert label.has_dictionary_page
    assert not content.has_dictionary_page
    assert {label.compression, content.compression} == {"LZ4"}


@pytest.mark.parametrize("kept", [0, 50, 300])
def test_a_file_that_is_cut_off_is_named_with_what_to_do(
    folder: str, kept: int
) -> None:
    place = place_of(in_memory(table("a")), folder)
    file_system, path = fsspec.core.url_to_fs(place)
    file_system.pipe_file(path, file_system.cat_file(path)[:kept])
    with pytest.raises(FruitsError) as refused:
        list(StoredPart(place)())
    words = str(refused.value)
    assert words.startswith(f"Found {place} unreadable (")
    assert words.endswith("again with --params damaged_batches=recompute")


def test_a_file_that_is_missing_is_named_with_what_to_do(folder: str) -> None:
    place = f"{folder}/part-00000.parquet"
    words = f"Found {re.escape(place)} unreadable .*damaged_batches=recompute"
    with pytest.raises(FruitsError, match=words):
        list(StoredPart(place)())


def test_a_bit_that_flipped_in_the_bytes_of_a_photo_is_found(folder: str) -> None:
    photo = np.random.default_rng(0).bytes(5000)
    rows = pa.table({"content": [photo]})
    place = place_of(in_memory(rows), folder, rows.schema)
    file_system, path = fsspec.core.url_to_fs(place)
    content = bytearray(file_system.cat_file(path))
    assert content.count(photo) == 1
    content[content.index(photo) + 2500] ^= 1
    file_system.pipe_file(path, bytes(content))
    with pytest.raises(FruitsError, match=f"Found {re.escape(place)} unreadable"):
        list(StoredPart(place)())


def test_a_file_is_read_by_one_request(folder: str) -> None:
    place = place_of(in_memory(table("a")), folder)
    file_system, path = fsspec.core.url_to_fs(place)
    content = file_system.cat_file(path)
    asked: list[str] = []

    def cat_file(self: object, path: str, **_: object) -> bytes:
        asked.append(path)
        return bytes(content)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(file_system), "cat_file", cat_file)
        patch.setattr(type(file_system), "open", None)
        assert paths_of(StoredPart(place)()) == [["a"]]
    assert len(asked) == 1
