import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest

from fruits_pipeline import schemas
from fruits_pipeline.spark import parquet
from fruits_pipeline.spark.parts import (
    Part,
    Rows,
    StoredPart,
    concat_parts,
    map_part,
    run_parts,
    table_part,
)

SCHEMA = pa.schema([pa.field("path", pa.string())])


def table(*paths: str) -> pa.Table:
    return pa.table({"path": [*paths]}, SCHEMA)


def paths_of(rows: Rows) -> list[list[str]]:
    return [batch["path"].to_pylist() for batch in rows]


def duplicate_rows(rows: Rows) -> Rows:
    for batch in rows:
        yield pa.concat_batches([batch, batch])


def write_part(part: Part, folder: Path) -> Part:
    """Return a part that writes the rows of `part`."""
    step = partial(parquet.write_rows, folder=str(folder), schema=SCHEMA)
    return map_part(part, step)


def store(part: Part, folder: Path) -> str:
    """Write a part, and return the path of its file."""
    (report,) = write_part(part, folder)()
    return f"{folder}/{report['file'][0].as_py()}"


def test_table_part_yields_its_rows_every_time() -> None:
    part = table_part(table("a", "b"))
    assert paths_of(part()) == paths_of(part()) == [["a", "b"]]


def test_record_batches_have_a_maximum_number_of_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "BATCH_ROWS", 2)
    part = table_part(table("a", "b", "c"))
    assert paths_of(part()) == [["a", "b"], ["c"]]
    assert paths_of(StoredPart(store(part, tmp_path))()) == [["a", "b"], ["c"]]


def test_concatenated_parts_yield_their_rows_in_order() -> None:
    both = concat_parts([table_part(table("a")), table_part(table("b"))])
    assert paths_of(both()) == [["a"], ["b"]]


def test_map_part_applies_the_step() -> None:
    part = map_part(table_part(table("a")), duplicate_rows)
    assert paths_of(part()) == [["a", "a"]]


@pytest.mark.parametrize("paths", [("a", "b"), ()])
def test_stored_part_adds_its_batch(tmp_path: Path, paths: tuple[str, ...]) -> None:
    path = store(table_part(table(*paths)), tmp_path)
    (batch,) = StoredPart(path, batch="000007")()
    assert batch.schema.names == ["path", "batch"]
    assert batch.schema.field("batch") == schemas.BATCH
    assert batch["path"].to_pylist() == [*paths]
    assert batch["batch"].to_pylist() == ["000007"] * len(paths)


@pytest.mark.parametrize(
    "make_part", [table_part, lambda rows: map_part(table_part(rows), duplicate_rows)]
)
def test_part_without_rows_yields_one_empty_batch(
    make_part: Callable[[pa.Table], Part], tmp_path: Path
) -> None:
    part = make_part(table())
    for rows in (part(), StoredPart(store(part, tmp_path))()):
        (empty,) = rows
        assert (len(empty), empty.schema.names) == (0, SCHEMA.names)


def test_run_parts_runs_the_numbered_parts() -> None:
    numbers = (pa.record_batch([pa.array([n])], ["id"]) for n in (2, 0))
    rows = run_parts(numbers, [table_part(table(path)) for path in "abc"], "run")
    assert paths_of(rows) == [["c"], ["a"]]


def test_parts_can_be_pickled(tmp_path: Path) -> None:
    stored = StoredPart(store(table_part(table("a")), tmp_path), batch="000001")
    mapped = map_part(concat_parts([table_part(table("b"))]), duplicate_rows)
    for part in (stored, write_part(mapped, tmp_path)):
        (batch,) = pickle.loads(pickle.dumps(part))()  # noqa: S301 - pickled here
        assert len(batch) == 1


def test_failed_step_leaves_no_file(tmp_path: Path) -> None:
    def fail_after_one_batch(rows: Rows) -> Rows:
        yield next(rows)
        raise ValueError("failed")

    with pytest.raises(ValueError, match="failed"):
        store(map_part(table_part(table("a")), fail_after_one_batch), tmp_path)
    assert [*tmp_path.iterdir()] == []
