"""Moments of the batches of a table, and what is stored of their totals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from factories import key_of, record_batch

from fruits_pipeline import schemas
from fruits_pipeline.datasets import DeltaMoments
from fruits_pipeline.datasets.delta.files import DataFile
from fruits_pipeline.datasets.delta.moments import TotalsFolder
from fruits_pipeline.datasets.delta.tables import create_table
from fruits_pipeline.models.moments import Moments, merge_all, moments_of
from fruits_pipeline.spark.arrow import compute_moments
from fruits_pipeline.spark.parquet import write_rows

RNG = np.random.default_rng(18)
VECTORS = {
    f"{i:06d}": RNG.normal(5, 2, (3, 4)).astype(np.float32) for i in range(1, 31)
}


@pytest.fixture
def moments(tmp_path: Path) -> DeltaMoments:
    """Return the stored moments of 30 batches, written without Spark."""
    location = str(tmp_path / "05_model_input/moments")
    writer = create_table(location, schemas.MOMENTS, {}, [], None)
    files = []
    for name, vectors in VECTORS.items():
        rows = [
            {**key_of(f"Test/Kiwi/{name} {i}"), "features": vector.tolist()}
            for i, vector in enumerate(vectors)
        ]
        measured = compute_moments(iter([record_batch(rows, schemas.FEATURES)]))
        (report,) = write_rows(measured, f"{location}/batch={name}", schemas.MOMENTS)
        files.append(DataFile.from_write_report(name, report.to_pylist()[0]))
    writer.commit(files)
    return DeltaMoments(filepath=location, table="moments")


def stored(moments: DeltaMoments) -> list[Path]:
    return sorted(Path(f"{moments.filepath}_totals").glob("*"))


def total(moments: DeltaMoments) -> Moments:
    tree = moments.load()
    return tree.total(tree.names)


def assert_equal(found: Moments, expected: Moments) -> None:
    np.testing.assert_array_equal(found.mean, expected.mean)
    np.testing.assert_array_equal(found.comoment, expected.comoment)


def test_total_is_that_of_all_vectors_and_its_parts_are_stored(
    moments: DeltaMoments,
) -> None:
    found, expected = total(moments), moments_of(np.concatenate([*VECTORS.values()]))
    assert found.n == 90
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-12)
    np.testing.assert_allclose(found.comoment, expected.comoment, rtol=1e-10)
    files = stored(moments)
    assert len(files) == 3  # batches 1 to 7, 8 to 15, and 16 to 23
    rows = pq.read_table(files[0])
    assert rows.schema.names == schemas.MOMENTS.names


def test_stored_parts_are_used(
    moments: DeltaMoments, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = total(moments)
    monkeypatch.setattr(TotalsFolder, "put", None)
    assert_equal(total(moments), expected)


@pytest.mark.parametrize("content", [b"", b"PAR1 damaged PAR1", None])
def test_damaged_parts_are_computed_again(
    moments: DeltaMoments, content: bytes | None
) -> None:
    expected = total(moments)
    for file in stored(moments):
        intact = file.read_bytes()
        middle = len(intact) // 3
        flipped = intact[:middle] + bytes([intact[middle] ^ 1]) + intact[middle + 1 :]
        file.write_bytes(flipped if content is None else content)
    assert_equal(total(moments), expected)
    for file in stored(moments):
        pq.read_table(file, page_checksum_verification=True)


def test_parts_can_be_deleted(moments: DeltaMoments) -> None:
    expected = total(moments)
    TotalsFolder.of(moments.filepath).keep_only(())
    assert stored(moments) == []
    assert_equal(total(moments), expected)


def test_total_of_new_batches(moments: DeltaMoments) -> None:
    new = ["000025", "000028"]
    expected = merge_all(moments_of(VECTORS[name]) for name in new)
    assert_equal(moments.load().total(new), expected)
