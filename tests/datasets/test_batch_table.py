import json
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from kedro.io import DatasetError
from making import fingerprints, table_of

from fruits_pipeline.batches import Batches, computed
from fruits_pipeline.datasets import BatchTable
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.parts import Part, Rows, then
from fruits_pipeline.parts import held as held_part

pytestmark = pytest.mark.usefixtures("spark")

SCHEMA = pa.schema([("path", pa.string()), ("value", pa.int64())])
RECIPE = {"preprocess.short_side": 256}
OTHER = {"preprocess.short_side": 64}


class Source:
    """Batches of one row each, which note what is asked of them."""

    def __init__(self, value: int = 0) -> None:
        self.value = value
        self.asked: list[str] = []

    def batches(
        self,
        *names: str,
        recipe: dict[str, int] = RECIPE,
        origin: str | None = None,
    ) -> Batches:
        return computed(names, self._parts, SCHEMA, recipe, origin)

    def _parts(self, name: str) -> list[Part]:
        self.asked.append(name)
        rows = [{"path": f"{name}.jpg", "value": self.value}]
        return [held_part(table_of(rows, SCHEMA))]


def of_parts(*rows: pa.Table) -> Batches:
    """Return one batch with a part of each table."""
    found = [held_part(table) for table in rows]
    return computed(["000001"], lambda _: found, rows[0].schema, RECIPE)


@pytest.fixture
def table(tmp_path: Path) -> BatchTable:
    return BatchTable(filepath=str(tmp_path / "images"))


def folder(table: BatchTable) -> Path:
    return Path(table.filepath)


def held(table: BatchTable) -> set[tuple[str, str, int]]:
    """Return batch, path and value of every row that a fresh look finds."""
    rows = BatchTable(filepath=table.filepath).load().rows().collect()
    return {(row.batch, row.path, row.value) for row in rows}


def test_a_table_that_is_not_there_has_no_batches(table: BatchTable) -> None:
    found = table.load()
    assert (found.names, found.recipe, found.origin) == ((), {}, None)
    assert not table.exists()


def test_rows_come_back_with_the_names_of_their_batches(table: BatchTable) -> None:
    table.save(Source(5).batches("000001", "000012"))
    assert held(table) == {
        ("000001", "000001.jpg", 5),
        ("000012", "000012.jpg", 5),
    }
    assert table.exists()


def test_recipe_and_fitted_model_come_back(table: BatchTable) -> None:
    table.save(Source().batches("000001", origin="digest"))
    assert table.load().recipe == RECIPE


def test_some_batches_can_be_read_without_the_others(table: BatchTable) -> None:
    table.save(Source().batches("000001", "000002", "000003"))
    rows = table.load().read(["000003", "000001"]).collect()
    assert {row.batch for row in rows} == {"000001", "000003"}


def test_only_missing_batches_are_computed(table: BatchTable) -> None:
    table.save(Source().batches("000001", "000002"))
    again = Source()
    table.save(again.batches("000001", "000002", "000003"))
    assert again.asked == ["000003"]
    assert table.written == ("000003",)


def test_batches_that_are_there_are_not_touched(table: BatchTable) -> None:
    table.save(Source(1).batches("000001", "000002"))
    before = fingerprints(folder(table))
    table.save(Source(2).batches("000001", "000002", "000003"))
    after = fingerprints(folder(table))
    assert {name: after[name] for name in before} == before


def test_a_table_with_nothing_new_writes_nothing(table: BatchTable) -> None:
    table.save(Source().batches("000001"))
    before = fingerprints(folder(table))
    table.save(Source().batches("000001"))
    assert fingerprints(folder(table)) == before
    assert (table.written, table.photos_written) == ((), 0)


def test_photos_are_counted_as_they_are_written(table: BatchTable) -> None:
    table.save(Source().batches("000001"))
    table.save(Source().batches("000001", "000002", "000003"))
    assert table.photos_written == 2


def test_a_row_of_moments_counts_for_the_photos_it_was_measured_on(
    table: BatchTable,
) -> None:
    moments = table_of([{"n": 40}], pa.schema([("n", pa.int64())]))
    table.save(of_parts(moments))
    assert table.photos_written == 40


def test_a_batch_without_rows_is_written_and_read(table: BatchTable) -> None:
    table.save(of_parts(table_of([], SCHEMA)))
    assert table.load().names == ("000001",)
    assert table.photos_written == 0
    rows = table.load().rows()
    assert (rows.columns, rows.count()) == (["path", "value", "batch", "part"], 0)


def test_every_part_is_a_file_and_comes_back_as_a_part(table: BatchTable) -> None:
    rows = [table_of([{"path": str(i), "value": i}], SCHEMA) for i in range(12)]
    table.save(of_parts(*rows, table_of([], SCHEMA)))
    assert len(list(folder(table).glob("batch=000001/*.parquet"))) == 13
    found = [
        [row["value"] for batch in part() for row in batch.to_pylist()]
        for part in table.load().parts("000001")
    ]
    assert found == [*([i] for i in range(12)), []]
    rows = table.load().rows().collect()
    assert {(row.part, row.value) for row in rows} == {(i, i) for i in range(12)}
    assert table.photos_written == 12


def test_a_part_that_fails_leaves_no_batch_behind(table: BatchTable) -> None:
    good = held_part(table_of([{"path": "a", "value": 1}], SCHEMA))
    parts = {"000001": [good], "000002": [good, then(good, broken)], "000003": [good]}
    with pytest.raises(DatasetError, match="a broken part"):
        table.save(computed([*parts], parts.__getitem__, SCHEMA, RECIPE))
    assert "000002" not in table.load().names
    table.save(computed([*parts], lambda _: [good], SCHEMA, RECIPE))
    assert "000002" in table.written
    assert table.load().names == ("000001", "000002", "000003")
    assert table.load().rows().count() == 3


def broken(_: Rows) -> Rows:
    raise ValueError("a broken part")


def leave_half_written(batch: Path) -> None:
    """Turn a batch into what a killed job leaves of it."""
    (batch / "_SUCCESS").unlink()
    attempt = batch / "_temporary/0/_temporary/attempt_1"
    attempt.mkdir(parents=True)
    part = next(batch.glob("part-*"))
    (attempt / part.name).write_bytes(part.read_bytes()[:20])


def test_a_half_written_batch_is_not_there(table: BatchTable) -> None:
    table.save(Source().batches("000001", "000002"))
    leave_half_written(folder(table) / "batch=000002")
    assert table.load().names == ("000001",)
    assert held(table) == {("000001", "000001.jpg", 0)}


def test_a_half_written_batch_is_written_again(table: BatchTable) -> None:
    table.save(Source(1).batches("000001", "000002"))
    leave_half_written(folder(table) / "batch=000002")
    table.save(Source(2).batches("000001", "000002"))
    assert table.written == ("000002",)
    assert held(table) == {("000001", "000001.jpg", 1), ("000002", "000002.jpg", 2)}


def refusal(table: BatchTable, rows: Batches) -> str:
    """Return what a user is told when a table refuses to be saved."""
    with pytest.raises(DatasetError) as refused:
        table.save(rows)
    assert isinstance(refused.value.__cause__, FruitsError)
    return str(refused.value.__cause__)


def test_another_recipe_is_refused_in_words(table: BatchTable) -> None:
    table.save(Source().batches("000001"))
    before = fingerprints(folder(table))
    words = refusal(table, Source().batches("000001", "000002", recipe=OTHER))
    assert "preprocess.short_side was 256, is 64" in words
    assert table.filepath in words
    assert "changed_recipe=rebuild" in words
    assert fingerprints(folder(table)) == before


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ({**RECIPE, "featurize.fit": "crop"}, "featurize.fit was 'not set', is 'crop'"),
        ({}, "preprocess.short_side was 256, is 'not set'"),
    ],
)
def test_a_parameter_more_or_less_is_another_recipe(
    table: BatchTable, recipe: dict[str, int], words: str
) -> None:
    table.save(Source().batches("000001"))
    assert words in refusal(table, Source().batches("000001", recipe=recipe))


def test_a_rebuild_makes_every_batch_anew(table: BatchTable) -> None:
    table.save(Source(1).batches("000001", "000002", "000003"))
    rebuilt = BatchTable(filepath=table.filepath, changed_recipe="rebuild")
    rebuilt.save(Source(2).batches("000001", "000002", recipe=OTHER))
    assert rebuilt.written == ("000001", "000002")
    assert held(table) == {("000001", "000001.jpg", 2), ("000002", "000002.jpg", 2)}
    assert table.load().recipe == OTHER


def test_a_table_of_the_same_recipe_is_not_rebuilt(table: BatchTable) -> None:
    table.save(Source().batches("000001"))
    rebuilt = BatchTable(filepath=table.filepath, changed_recipe="rebuild")
    rebuilt.save(Source().batches("000001", "000002"))
    assert rebuilt.written == ("000002",)


def test_another_origin_remakes_the_table_unasked(table: BatchTable) -> None:
    table.save(Source(1).batches("000001", "000002", origin="old"))
    table.save(Source(2).batches("000001", "000002", "000003", origin="new"))
    assert table.written == ("000001", "000002", "000003")
    assert {value for *_, value in held(table)} == {2}


def killed_while_clearing(table: BatchTable) -> None:
    (folder(table) / "_recipe.json").unlink()
    shutil.rmtree(folder(table) / "batch=000001")


def test_what_is_left_of_a_table_without_a_recipe_is_void(table: BatchTable) -> None:
    table.save(Source().batches("000001", "000002"))
    killed_while_clearing(table)
    assert table.load().names == ()
    assert not table.exists()


def test_a_kill_while_clearing_leaves_no_old_rows(table: BatchTable) -> None:
    table.save(Source(1).batches("000001", "000002"))
    killed_while_clearing(table)
    table.save(Source(2).batches("000001", "000002", recipe=OTHER))
    assert held(table) == {("000001", "000001.jpg", 2), ("000002", "000002.jpg", 2)}


def test_the_recipe_is_readable_json_beside_the_batches(table: BatchTable) -> None:
    table.save(Source().batches("000001", origin="digest"))
    note = json.loads((folder(table) / "_recipe.json").read_text())
    identity = table.load().origin
    assert note == {"recipe": RECIPE, "origin": "digest", "identity": identity}


def test_a_table_that_is_deleted_has_another_identity_when_it_is_there_again(
    table: BatchTable,
) -> None:
    table.save(Source().batches("000001"))
    first = table.load().origin
    table.save(Source().batches("000001", "000002"))
    assert table.load().origin == first
    shutil.rmtree(folder(table))
    table.save(Source().batches("000001"))
    assert table.load().origin not in (None, first)


@pytest.mark.parametrize(
    "name",
    ["my images", "50% of it", "pommes d'été", "a+b&c=1", "[2026] {a,b}", "a\\b"],
)
def test_a_table_may_have_any_name(tmp_path: Path, name: str) -> None:
    table = BatchTable(filepath=str(tmp_path / name / "images"))
    table.save(Source(3).batches("000001"))
    assert held(table) == {("000001", "000001.jpg", 3)}
    assert (tmp_path / name / "images/batch=000001/_SUCCESS").exists()


def test_a_name_is_no_pattern(tmp_path: Path) -> None:
    BatchTable(filepath=f"{tmp_path}/apples").save(Source(1).batches("000001"))
    pattern = BatchTable(filepath=f"{tmp_path}/a*")
    pattern.save(Source(2).batches("000001"))
    assert held(pattern) == {("000001", "000001.jpg", 2)}


@pytest.mark.parametrize(
    ("place", "spelled"),
    [
        ("s3://bucket/s3://odd", "s3a://bucket/s3://odd"),
        ("s3a://bucket/a", "s3a://bucket/a"),
        ("/data/s3://a", "/data/s3://a"),
    ],
)
def test_spark_is_told_of_its_own_client_for_s3(place: str, spelled: str) -> None:
    assert BatchTable(filepath=place)._spark_path == spelled
