import pickle
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fruits_pipeline import parts
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.parts import (
    Part,
    Rows,
    held,
    joined,
    marked,
    run,
    stored,
    then,
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


@pytest.fixture(params=["local", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    folder = str(tmp_path) if request.param == "local" else f"memory://{uuid4().hex}"
    return f"{folder}/a table/batch=000001/part-00000.parquet"


def test_a_held_part_gives_its_rows_each_time() -> None:
    part = held(table("a", "b"))
    assert paths_of(part()) == paths_of(part()) == [["a", "b"]]


def test_a_worker_has_few_rows_at_a_time(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "ROWS", 2)
    part = held(table("a", "b", "c"))
    assert paths_of(part()) == [["a", "b"], ["c"]]
    list(written(part, place)())
    assert paths_of(stored(place)()) == [["a", "b"], ["c"]]


def test_joined_parts_give_their_rows_in_order() -> None:
    assert paths_of(joined([held(table("a")), held(table("b"))])()) == [["a"], ["b"]]


def test_a_step_is_applied_to_the_rows() -> None:
    assert paths_of(then(held(table("a")), doubled)()) == [["a", "a"]]


def test_a_row_says_where_it_is() -> None:
    (batch,) = marked(held(table("a", "b")), "000007", 3)()
    found = [(row["path"], row["batch"], row["part"]) for row in batch.to_pylist()]
    assert found == [("a", "000007", 3), ("b", "000007", 3)]


def test_what_is_written_is_read_again(place: str) -> None:
    (told,) = written(held(table("a", "b")), place)()
    assert (told.schema, told.to_pylist()) == (parts.WRITTEN, [{"photos": 2}])
    (batch,) = stored(place)()
    assert pa.Table.from_batches([batch]).cast(SCHEMA) == table("a", "b")


def test_a_row_of_moments_is_counted_as_its_photos(place: str) -> None:
    moments = pa.table({"n": pa.array([40, 2])})
    (told,) = written(held(moments), place)()
    assert told.to_pylist() == [{"photos": 42}]


@pytest.mark.parametrize("make", [held, lambda rows: then(held(rows), doubled)])
def test_a_part_without_rows_gives_one_empty_batch(
    make: Callable[[pa.Table], Part], place: str
) -> None:
    (empty,) = make(table())()
    assert len(empty) == 0
    (told,) = written(make(table()), place)()
    assert told.to_pylist() == [{"photos": 0}]
    (found,) = stored(place)()
    assert (len(found), found.schema.names) == (0, SCHEMA.names)


def test_a_worker_runs_the_parts_whose_numbers_it_is_given() -> None:
    numbers = (pa.record_batch([pa.array([n])], ["id"]) for n in (2, 0))
    found = run(numbers, [held(table(path)) for path in "abc"])
    assert paths_of(found) == [["c"], ["a"]]


def test_a_part_travels_to_a_worker(place: str) -> None:
    part = written(then(joined([held(table("a"))]), doubled), place)
    (told,) = pickle.loads(pickle.dumps(part))()
    assert told.to_pylist() == [{"photos": 2}]


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    def broken(rows: Rows) -> Rows:
        yield next(rows)
        raise ValueError("broken")

    place = tmp_path / "part.parquet"
    with pytest.raises(ValueError, match="broken"):
        list(written(then(held(table("a")), broken), str(place))())
    assert not place.exists()


def test_labels_are_stored_once_and_bytes_as_they_are(tmp_path: Path) -> None:
    rows = pa.table({"label": ["Apple"] * 9, "content": [b"1"] * 9})
    place = tmp_path / "part.parquet"
    list(written(held(rows), str(place))())
    group = pq.ParquetFile(place).metadata.row_group(0)
    label, content = (group.column(i) for i in range(2))
    assert label.has_dictionary_page
    assert not content.has_dictionary_page
    assert {label.compression, content.compression} == {"LZ4"}


@pytest.mark.parametrize("kept", [0, 50, 300])
def test_a_damaged_file_is_named_with_what_to_do(place: str, kept: int) -> None:
    list(written(held(table("a")), place)())
    file_system, path = fsspec.core.url_to_fs(place)
    file_system.pipe_file(path, file_system.cat_file(path)[:kept])
    with pytest.raises(FruitsError, match=f"damaged file, {place} .*made anew"):
        list(stored(place)())


def test_a_file_is_read_by_one_request(place: str) -> None:
    list(written(held(table("a")), place)())
    file_system, path = fsspec.core.url_to_fs(place)
    content = file_system.cat_file(path)
    asked: list[str] = []

    def cat_file(self: object, path: str, **_: object) -> bytes:
        asked.append(path)
        return bytes(content)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(file_system), "cat_file", cat_file)
        patch.setattr(type(file_system), "open", None)
        assert paths_of(stored(place)()) == [["a"]]
    assert len(asked) == 1
