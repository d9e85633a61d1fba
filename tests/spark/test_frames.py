import gc
import os
import re
import shutil
import traceback
import weakref
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from factories import by_path, columns_of, frame, key_of, table_of, types_of
from pyspark import SparkContext
from pyspark.errors import AnalysisException, PythonException
from pyspark.sql import DataFrame, SparkSession

from fruits_pipeline import schemas
from fruits_pipeline.spark.frames import (
    Batches,
    batch_names,
    broadcast,
    from_files,
    from_table,
    from_tables,
    in_batches,
    in_one_task,
    in_splits,
    map_arrow,
    passed_on,
    per_batch,
    record_batches,
    spark_path,
    task_count,
    with_bytes,
    write,
)
from fruits_pipeline.spark.parts import Rows, Step

pytestmark = pytest.mark.usefixtures("spark")

KEY = pa.schema(schemas.KEY)
APPLE, PEAR, LIME = "Test/Apple/0.jpg", "Test/Pear/0.jpg", "Test/Lime/0.jpg"


def rows_of(*paths: str) -> pa.Table:
    return table_of([key_of(path) for path in paths], KEY)


def capitals(rows: Rows) -> Rows:
    for batch in rows:
        label = pc.utf8_upper(batch["label"])
        yield batch.set_column(batch.schema.get_field_index("label"), "label", label)


def unread(rows: Rows) -> Rows:
    raise AssertionError("rows were read that nobody asked for")
    yield from rows


def noting(rows: Rows, column: str, note: Callable[[], str]) -> Rows:
    for batch in rows:
        notes = pa.array([note()] * len(batch))
        yield batch.set_column(batch.schema.get_field_index(column), column, notes)


def process() -> str:
    return str(os.getpid())


def callers() -> str:
    return " ".join(call.name for call in traceback.extract_stack())


def read(folder: Path | str, reports: Iterable[dict[str, Any]]) -> pa.Table:
    """Return the rows of the files that were reported."""
    files = [pq.ParquetFile(f"{folder}/{report['file']}") for report in reports]
    return pa.concat_tables([file.read() for file in files])


def store(folder: Path, *tables: pa.Table) -> list[str]:
    """Write every table to a file, and return the places of the files."""
    reports = write(
        from_tables(tables, tables[0].schema), str(folder), tables[0].schema
    )
    return [f"{folder}/{report['file']}" for report in reports]


def store_table(folder: Path, **batches: Sequence[pa.Table]) -> DataFrame:
    """Write a table of batches, named `b000001` and so on, and return it."""
    places = [
        place
        for name, tables in batches.items()
        for place in store(folder / f"batch={name.removeprefix('b')}", *tables)
    ]
    files = [str(Path(place).relative_to(folder)) for place in places]
    schema = next(iter(batches.values()))[0].schema
    return from_table(str(folder), files, schema)


@pytest.fixture
def plans(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Note the operators of every Spark job whose rows are collected."""
    seen: list[list[str]] = []
    frame_type = type(spark.range(1))
    collect = frame_type.collect

    def note(rows: Any) -> Any:
        plan = rows._jdf.queryExecution().executedPlan().toString()
        seen.append(re.findall(r"^[^a-zA-Z]*(\w+)", plan, re.MULTILINE))
        return collect(rows)

    monkeypatch.setattr(frame_type, "collect", note)
    return seen


Source = Callable[[Path], DataFrame]

SOURCES: dict[str, Source] = {
    "tables": lambda _: from_tables([rows_of(APPLE), rows_of(PEAR)], KEY),
    "files": lambda folder: from_files(
        store(folder, rows_of(APPLE), rows_of(PEAR)), KEY
    ),
    "a table": lambda folder: store_table(
        folder, b000001=[rows_of(APPLE)], b000002=[rows_of(PEAR)]
    ).drop("batch"),
    "where": lambda folder: SOURCES["files"](folder).where("label <> 'Lime'"),
    "select": lambda folder: SOURCES["files"](folder).select(KEY.names),
    "Spark": lambda _: frame([key_of(APPLE), key_of(PEAR)], KEY),
    "empty partitions": lambda _: SOURCES["Spark"](_).repartition(5),
}


@pytest.fixture(params=SOURCES)
def rows(request: pytest.FixtureRequest, tmp_path: Path) -> DataFrame:
    """Return the rows of an apple and a pear, from several sources."""
    return SOURCES[request.param](tmp_path / "source")


def test_rows_are_those_of_their_source(rows: DataFrame) -> None:
    assert by_path(rows) == {APPLE: key_of(APPLE), PEAR: key_of(PEAR)}
    assert columns_of(rows) == types_of(KEY)


def test_a_step_maps_the_rows_of_every_source(rows: DataFrame) -> None:
    mapped = by_path(map_arrow(rows, capitals, KEY))
    assert {path: row["label"] for path, row in mapped.items()} == {
        APPLE: "APPLE",
        PEAR: "PEAR",
    }


def test_steps_follow_one_another_before_and_after_what_spark_does(
    rows: DataFrame,
) -> None:
    note = partial(noting, column="series", note=lambda: "filmed")
    mapped = map_arrow(map_arrow(rows, capitals, KEY), note, KEY)
    (row,) = map_arrow(mapped.where("label = 'PEAR'"), capitals, KEY).collect()
    assert (row.path, row.label, row.series) == (PEAR, "PEAR", "filmed")


def test_what_is_written_is_reported_and_read_again(
    rows: DataFrame, tmp_path: Path
) -> None:
    reports = write(map_arrow(rows, capitals, KEY), f"{tmp_path}/batch=000001", KEY)
    written = by_path(read(tmp_path / "batch=000001", reports))
    assert written == {
        APPLE: key_of(APPLE) | {"label": "APPLE"},
        PEAR: key_of(PEAR) | {"label": "PEAR"},
    }
    for report in reports:
        file = tmp_path / "batch=000001" / report["file"]
        paths = pq.ParquetFile(file).read()["path"].to_pylist()
        assert report == {
            "file": file.name,
            "size_bytes": file.stat().st_size,
            "rows": len(paths),
            "errors": 0,
            "photos": len(paths),
            "first_path": min(paths, default=None),
            "last_path": max(paths, default=None),
        }
    assert len(reports) == len([*(tmp_path / "batch=000001").iterdir()])


def test_a_file_is_named_by_the_number_of_its_task(
    rows: DataFrame, tmp_path: Path
) -> None:
    reports = write(rows, str(tmp_path), KEY)
    numbers = [int(report["file"].split("-")[1]) for report in reports]
    assert numbers == [*range(len(reports))]
    assert len(reports) == task_count(rows)


def test_a_table_is_one_spark_task_with_its_rows_in_order() -> None:
    rows = from_tables([rows_of(PEAR, APPLE), rows_of(LIME)], KEY)
    assert task_count(rows) == rows.rdd.getNumPartitions() == 2
    assert [row.path for row in rows.collect()] == [PEAR, APPLE, LIME]


def test_without_tables_there_are_no_rows(tmp_path: Path) -> None:
    rows = from_tables([], KEY)
    assert (rows.count(), columns_of(rows)) == (0, types_of(KEY))
    (report,) = write(rows, str(tmp_path), KEY)
    assert report["rows"] == 0


def test_a_step_yields_the_columns_of_its_schema(rows: DataFrame) -> None:
    def one_feature(rows: Rows) -> Rows:
        for batch in rows:
            vectors = pa.array([[1.0]] * len(batch), pa.list_(pa.float32()))
            yield pa.record_batch([*batch.columns, vectors], schemas.FEATURES)

    made = map_arrow(rows, one_feature, schemas.FEATURES)
    assert columns_of(made) == types_of(schemas.FEATURES)
    assert by_path(made)[APPLE]["features"] == [1.0]


def test_mapping_reads_nothing(rows: DataFrame) -> None:
    mapped = map_arrow(in_one_task(map_arrow(rows, unread, KEY)), capitals, KEY)
    assert columns_of(mapped) == types_of(KEY)


def test_one_task_reads_maps_and_writes_in_one_process(
    tmp_path: Path, plans: list[list[str]]
) -> None:
    rows = from_files(store(tmp_path / "in", rows_of(APPLE), rows_of(PEAR)), KEY)
    plans.clear()
    for column, note in (("label", process), ("split", process), ("series", callers)):
        rows = map_arrow(rows, partial(noting, column=column, note=note), KEY)
    written = by_path(read(tmp_path / "out", write(rows, f"{tmp_path}/out", KEY)))
    assert plans == [["MapInArrow", "Range"]]
    assert written.keys() == {APPLE, PEAR}
    for row in written.values():
        assert row["label"] == row["split"] != process()
        assert "write_rows" in row["series"].split()


def test_what_spark_does_is_done_before_the_write(
    tmp_path: Path, plans: list[list[str]]
) -> None:
    files = from_files(store(tmp_path / "in", rows_of(APPLE), rows_of(PEAR)), KEY)
    plans.clear()
    first = map_arrow(files, partial(noting, column="label", note=process), KEY)
    some = first.where(f"path = '{PEAR}'")
    rows = map_arrow(some, partial(noting, column="split", note=process), KEY)
    written = by_path(read(tmp_path / "out", write(rows, f"{tmp_path}/out", KEY)))
    assert plans == [["MapInArrow"] * 2 + ["Filter"] + ["MapInArrow"] * 2 + ["Range"]]
    assert written.keys() == {PEAR}
    assert written[PEAR]["label"] != written[PEAR]["split"]


def test_a_filter_leaves_the_columns_of_the_file_nullable(tmp_path: Path) -> None:
    rows = from_tables([rows_of(APPLE), rows_of(PEAR)], KEY)
    some = rows.where(f"path = '{PEAR}' and photo_id is not null")
    reports = write(some, str(tmp_path), KEY)
    assert [report["rows"] for report in reports] == [0, 1]
    for report in reports:
        schema = pq.ParquetFile(tmp_path / report["file"]).schema_arrow
        assert schema.remove_metadata() == KEY


def test_times_and_bytes_stay_the_same_through_spark(tmp_path: Path) -> None:
    noon = datetime(2026, 7, 1, 12, 0, 0, 123456, UTC)
    photo = {"size_bytes": 2, "modified_at": noon, "etag": "e", "content": b"\0\xff"}
    photos = frame([key_of(APPLE) | photo], schemas.PHOTOS)
    found = read(tmp_path, write(photos, str(tmp_path), schemas.PHOTOS))
    assert found.schema.remove_metadata() == schemas.PHOTOS
    assert found.to_pylist() == [key_of(APPLE) | photo]


def test_a_damaged_file_is_named_by_the_worker(tmp_path: Path) -> None:
    (place,) = store(tmp_path / "in", rows_of(APPLE))
    Path(place).write_bytes(b"PAR1")
    rows = map_arrow(from_files([place], KEY), capitals, KEY)
    words = f"FruitsError: Found {re.escape(place)} unreadable"
    with pytest.raises(PythonException, match=words):
        write(rows, f"{tmp_path}/out", KEY)


def test_one_task_sees_all_rows(rows: DataFrame, tmp_path: Path) -> None:
    def counted(rows: Rows) -> Rows:
        n = sum(map(len, rows))
        row = {"n": n, "mean": [], "comoment": [], "keys": f"{n:016x}"}
        yield pa.RecordBatch.from_pylist([row], schemas.MOMENTS)

    single = in_one_task(rows)
    assert task_count(single) == 1
    moments = map_arrow(single, counted, schemas.MOMENTS)
    assert [row.n for row in moments.collect()] == [2]
    (report,) = write(moments, str(tmp_path), schemas.MOMENTS)
    assert (report["rows"], report["photos"]) == (1, 2)


@pytest.fixture
def table(tmp_path: Path) -> DataFrame:
    """Return a table of two batches, the first of them in two files."""
    apple, pear, lime = map(rows_of, (APPLE, PEAR, LIME))
    return store_table(tmp_path / "table", b000001=[apple, pear], b000010=[lime])


BATCH_OF = {APPLE: "000001", PEAR: "000001", LIME: "000010"}


def in_spark() -> DataFrame:
    rows = [key_of(path) | {"batch": batch} for path, batch in BATCH_OF.items()]
    return frame(rows, KEY)


def test_a_row_of_a_table_has_the_name_of_its_batch(table: DataFrame) -> None:
    assert by_path(table) == by_path(in_spark())
    assert table.columns == [*KEY.names, "batch"]


def test_a_step_sees_the_names_of_batches(table: DataFrame, tmp_path: Path) -> None:
    def batch_as_label(rows: Rows) -> Rows:
        for batch in rows:
            yield pa.record_batch([batch["path"], batch["batch"]], ["path", "label"])

    schema = pa.schema([KEY.field("path"), KEY.field("label")])
    made = map_arrow(table, batch_as_label, schema)
    reports = write(made, str(tmp_path), schema)
    for found in (by_path(made), by_path(read(tmp_path, reports))):
        assert {path: row["label"] for path, row in found.items()} == BATCH_OF


def test_a_table_without_files_has_its_columns_and_no_rows(tmp_path: Path) -> None:
    empty = from_table(str(tmp_path), [], schemas.FEATURES)
    assert empty.collect() == []
    assert columns_of(empty) == types_of(schemas.FEATURES)
    assert (empty.columns[-1], batch_names(empty)) == ("batch", [])
    assert [*record_batches(in_batches(empty, ["000001"]))] == []


@pytest.mark.parametrize(
    "name",
    ["[a]*{b}?", "a b#c%20", "a=1, b", "back\\slash", "co:lon", "~x$HOME", "P\u0302🍎"],
)
def test_a_table_is_read_whatever_the_name_of_its_folder(
    tmp_path: Path, name: str
) -> None:
    folder = tmp_path / name
    table = store_table(folder, b000001=[rows_of(APPLE)], b000002=[rows_of(PEAR)])
    # `[a]*{b}?` as a pattern would find this one as well.
    shutil.copytree(folder, tmp_path / "a-b-", dirs_exist_ok=True)
    assert {p: row["batch"] for p, row in by_path(table).items()} == {
        APPLE: "000001",
        PEAR: "000002",
    }
    assert by_path(in_batches(table, ["000002"])).keys() == {PEAR}
    made = map_arrow(table.drop("batch"), capitals, KEY)
    reports = write(made, f"{folder}/out", KEY)
    assert by_path(read(folder / "out", reports)).keys() == {APPLE, PEAR}


@pytest.mark.parametrize("kind", ["table", "Spark"])
def test_rows_are_taken_by_the_names_of_their_batches(
    table: DataFrame, kind: str
) -> None:
    rows = table if kind == "table" else in_spark()
    assert batch_names(rows) == ["000001", "000010"]
    some = in_batches(rows, ["000010", "000099"])
    assert batch_names(some) == ["000010"]
    assert by_path(some) == {LIME: key_of(LIME) | {"batch": "000010"}}
    iterated = pa.Table.from_batches(record_batches(some))
    assert by_path(iterated) == by_path(some)
    assert batch_names(in_batches(rows, [])) == []
    assert by_path(pa.Table.from_batches(record_batches(rows))) == by_path(rows)


def test_of_a_table_only_the_files_of_the_batches_are_read(
    table: DataFrame, tmp_path: Path
) -> None:
    for file in (tmp_path / "table/batch=000001").iterdir():
        file.write_bytes(b"damaged")
    some = in_batches(table, ["000010"])
    assert by_path(some).keys() == {LIME}
    assert by_path(pa.Table.from_batches(record_batches(some))).keys() == {LIME}


def test_rows_of_a_table_reach_the_driver_without_the_jvm(
    table: DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(table), "toArrow", None)
    batches = [*record_batches(in_batches(table, ["000001"]))]
    assert [batch["path"].to_pylist() for batch in batches] == [[APPLE], [PEAR]]
    assert batch_names(table) == ["000001", "000010"]


def test_rows_without_batches_are_refused(tmp_path: Path) -> None:
    rows = from_files(store(tmp_path, rows_of(APPLE)), KEY)
    with pytest.raises(AnalysisException, match="`batch` cannot be resolved"):
        batch_names(rows)


def test_mapped_rows_of_a_table_are_taken_by_the_names_of_their_batches(
    table: DataFrame,
) -> None:
    mapped = map_arrow(table, capitals, pa.schema([*KEY, schemas.BATCH]))
    assert batch_names(mapped) == ["000001", "000010"]
    assert by_path(in_batches(mapped, ["000010"])).keys() == {LIME}


IMAGES = pa.schema([*KEY, pa.field("image", pa.binary())])


def images(*paths: str) -> pa.Table:
    rows = [key_of(path) | {"image": path.encode()} for path in paths]
    return table_of(rows, IMAGES)


@pytest.fixture
def pictures(tmp_path: Path) -> DataFrame:
    return store_table(
        tmp_path / "table", b000001=[images(APPLE, PEAR)], b000002=[images(LIME)]
    )


def test_bytes_are_added_to_a_few_rows(pictures: DataFrame) -> None:
    chosen = pd.DataFrame(
        {
            "path": [LIME, APPLE],
            "batch": ["000002", "000001"],
            "said": ["lime", "apple"],
        }
    )
    found = with_bytes(pictures, chosen, "image")
    assert found.to_dict("list") == {
        **chosen.to_dict("list"),
        "image": [LIME.encode(), APPLE.encode()],
    }
    assert "image" not in chosen


def test_bytes_are_read_from_the_batches_of_the_rows_alone(
    pictures: DataFrame, tmp_path: Path
) -> None:
    (file,) = (tmp_path / "table/batch=000002").iterdir()
    file.write_bytes(b"damaged")
    chosen = pd.DataFrame({"path": [PEAR], "batch": ["000001"]})
    assert [*with_bytes(pictures, chosen, "image")["image"]] == [PEAR.encode()]


def test_for_no_rows_no_bytes_are_read(pictures: DataFrame) -> None:
    schema = pa.schema([*IMAGES, schemas.BATCH])
    nothing = pd.DataFrame({"path": [], "batch": []})
    found = with_bytes(map_arrow(pictures, unread, schema), nothing, "image")
    assert (len(found), [*found.columns]) == (0, ["path", "batch", "image"])


def test_splits_are_compared_in_any_case_and_none_is_null() -> None:
    splits = ["Training", "TRAIN", "Test", "", None]
    rows = [key_of(APPLE) | {"split": split} for split in splits]
    chosen = frame(rows, KEY).select(in_splits(["training", "Train"])).collect()
    assert [row[0] for row in chosen] == [True, True, False, False, None]


def test_a_lifted_function_is_called_when_a_batch_is_asked_for() -> None:
    called: list[tuple[str, str]] = []

    def load(name: str) -> DataFrame:
        called.append(("load", name))
        return frame([key_of(APPLE)], KEY, batch=name)

    def labelled(rows: DataFrame, step: Step) -> DataFrame:
        called.append(("map", rows.first().batch))
        return map_arrow(rows.drop("batch"), step, KEY)

    loads = {name: partial(load, name) for name in ("000001", "000002")}
    lifted = per_batch(labelled)(loads, capitals)
    assert (called, [*lifted]) == ([], ["000001", "000002"])
    (row,) = lifted["000002"]().collect()
    assert row.label == "APPLE"
    assert called == [("load", "000002"), ("map", "000002")]
    assert per_batch(labelled).__name__ == "labelled"


def test_an_accepted_input_is_passed_on_as_it_is() -> None:
    seen: list[tuple[Any, ...]] = []

    def check(rows: str, limit: int) -> None:
        """Check."""
        seen.append((rows, limit))
        if limit < 0:
            raise ValueError("refused")

    batches: Batches = {}
    node = passed_on(check)
    assert node(batches, "rows", 1) is batches
    assert seen == [("rows", 1)]
    assert (node.__name__, node.__doc__) == ("check", "Check.")
    with pytest.raises(ValueError, match="refused"):
        node(batches, "rows", -1)


class Model:
    """A model that is told apart from others, and let go of."""


def test_a_model_is_sent_once_for_several_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[object] = []
    as_ever = SparkContext.broadcast

    def note(self: SparkContext, value: object) -> Any:
        sent.append(value)
        return as_ever(self, value)

    monkeypatch.setattr(SparkContext, "broadcast", note)

    def labelled(rows: DataFrame, model: dict[str, str]) -> DataFrame:
        shipped = broadcast(model)
        note = partial(noting, column="label", note=lambda: shipped.value["label"])
        return map_arrow(rows, note, KEY)

    model = {"label": "sent"}
    loads = {
        name: partial(frame, [key_of(APPLE)], KEY) for name in ("000001", "000002")
    }
    lifted = per_batch(labelled)(loads, model)
    labels = [row.label for load in lifted.values() for row in load().collect()]
    assert labels == ["sent", "sent"]
    assert [value is model for value in sent] == [True]


def test_another_model_is_sent_though_it_is_equal() -> None:
    first, second = {"a": 1}, {"a": 1}
    assert broadcast(first) is broadcast(first)
    assert broadcast(first) is not broadcast(second)


def test_only_the_newest_model_stays_in_memory() -> None:
    model = Model()
    alive = weakref.ref(model)
    broadcast(model)
    broadcast("another")
    del model
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize(
    ("place", "spelled"),
    [
        ("s3://bucket/s3://x", "s3a://bucket/s3://x"),
        ("s3a://bucket/x", "s3a://bucket/x"),
        ("/data/s3://x", "/data/s3://x"),
    ],
)
def test_a_bucket_is_spelled_as_hadoop_does(place: str, spelled: str) -> None:
    assert spark_path(place) == spelled
