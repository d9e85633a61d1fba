from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from factories import frame, key_of
from kedro.io import DatasetError
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import (
    DeltaBatches,
    DeltaCounts,
    DeltaListing,
    DeltaNewBatches,
    DeltaPandas,
    DeltaSpark,
)
from fruits_pipeline.lineage import Lineage

pytestmark = pytest.mark.usefixtures("spark")

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
BATCHES = {"000001": ["a", "b"], "000002": ["c"]}
RECIPE = {"ingest.path_rules": []}


def write_table(folder: Path, table: str, **columns: Any) -> str:
    """Write a table of three photos, and return its path."""
    schema = getattr(schemas, table.upper())
    dataset = DeltaBatches(filepath=str(folder / table), table=table)
    dataset.prepare(Lineage(RECIPE))

    def rows(names: list[str]) -> DataFrame:
        photos = [key_of(f"Test/Kiwi/{name}") | columns for name in names]
        return frame(photos, schema).coalesce(1)

    dataset.save({b: lambda names=names: rows(names) for b, names in BATCHES.items()})
    return dataset.filepath


def test_spark_view_has_all_rows_with_their_batch(tmp_path: Path) -> None:
    path = write_table(tmp_path, "features", features=[1.0, 2.0])
    rows = DeltaSpark(filepath=path, table="features").load()
    assert rows.columns == [*schemas.FEATURES.names, "batch"]
    assert rows.count() == 3
    assert rows.where("batch = '000001'").count() == 2
    assert [*rows.toPandas()["features"][0]] == [1.0, 2.0]


def test_pandas_view_has_all_rows_with_their_batch(tmp_path: Path) -> None:
    path = write_table(tmp_path, "reduced", components=[1.0, 2.0])
    rows = DeltaPandas(filepath=path, table="reduced").load()
    assert isinstance(rows, pd.DataFrame)
    assert sorted(rows["batch"]) == ["000001", "000001", "000002"]
    vectors = np.stack([*rows["components"]])
    assert (vectors.shape, vectors.dtype) == ((3, 2), np.float32)


def test_view_includes_rows_saved_after_its_creation(tmp_path: Path) -> None:
    view = DeltaPandas(filepath=f"{tmp_path}/reduced", table="reduced")
    assert not view.exists()
    write_table(tmp_path, "reduced", components=[1.0])
    assert len(view.load()) == 3


def test_counts_include_rows_with_errors(tmp_path: Path) -> None:
    path = write_table(tmp_path, "images", error="broken")
    counts = DeltaCounts(filepath=path, table="images").load()
    assert counts.to_dict("list") == {
        "batch": ["000001", "000002"],
        "photos": [2, 1],
        "rejected": [2, 1],
    }


def test_listing_has_size_time_and_etag_of_each_photo(tmp_path: Path) -> None:
    columns = {"size_bytes": 7, "modified_at": NOON, "etag": "x"}
    path = write_table(tmp_path, "photos", **columns)
    existing = DeltaListing(filepath=path, table="photos").load()
    assert existing.last_batch == 2
    rows = pa.concat_tables(existing.runs.tables())
    files = rows.drop_columns(["id_hash", "batch"]).to_pylist()
    assert files == [{"path": f"Test/Kiwi/{name}", **columns} for name in "abc"]
    assert rows["batch"].to_pylist() == ["000001", "000001", "000002"]
    assert len(set(rows["id_hash"].to_pylist()) - {0}) == 3


def test_listing_of_a_missing_table_is_empty(tmp_path: Path) -> None:
    existing = DeltaListing(filepath=f"{tmp_path}/photos", table="photos").load()
    assert (len(existing.runs), existing.last_batch) == (0, 0)


@pytest.mark.parametrize(("recipe", "rows"), [(RECIPE, 3), ({}, 0)])
def test_listing_is_empty_if_the_table_will_be_rebuilt(
    tmp_path: Path, recipe: dict[str, Any], rows: int
) -> None:
    view = DeltaListing(filepath=write_table(tmp_path, "photos"), table="photos")
    view.lineage = Lineage(recipe)
    assert len(view.load().runs) == rows


@pytest.mark.parametrize("view", [DeltaSpark, DeltaPandas, DeltaCounts])
def test_missing_table_is_an_error_with_a_command(tmp_path: Path, view: Any) -> None:
    with pytest.raises(DatasetError, match=r"Found no table in .*`kedro run`"):
        view(filepath=f"{tmp_path}/images", table="images").load()


@pytest.mark.parametrize("view", [DeltaSpark, DeltaPandas, DeltaCounts, DeltaListing])
def test_missing_file_is_an_error_with_its_path(tmp_path: Path, view: Any) -> None:
    path = write_table(tmp_path, "photos")
    (file,) = Path(path).glob("batch=000002/*.parquet")
    file.unlink()
    message = f"Found no file batch=000002/{file.name} in batch 000002 of {path}"
    with pytest.raises(DatasetError, match=message):
        view(filepath=path, table="photos").load()


def test_view_cannot_be_saved(tmp_path: Path) -> None:
    view = DeltaPandas(filepath=f"{tmp_path}/reduced", table="reduced")
    with pytest.raises(DatasetError, match="expected `reduced@batches`"):
        view.save("rows")  # type: ignore[arg-type]


def test_new_batches_are_those_of_the_last_run_that_added_any(tmp_path: Path) -> None:
    view = DeltaNewBatches(filepath=write_table(tmp_path, "images"), table="images")
    assert view.load() == ["000001", "000002"]

    def save(*names: str) -> None:
        dataset = DeltaBatches(filepath=view.filepath, table="images")
        dataset.prepare(Lineage(RECIPE))
        rows = {n: frame([key_of(f"Test/Kiwi/{n}")], schemas.IMAGES) for n in names}
        dataset.save({n: lambda n=n: rows[n] for n in names})

    save("000003", "000004")
    assert view.load() == ["000003", "000004"]
    save("000004")
    assert view.load() == ["000003", "000004"]
