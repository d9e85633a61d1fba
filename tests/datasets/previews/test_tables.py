import inspect
from pathlib import Path
from typing import Any

import pytest
from factories import arrow_table, jpeg, key_of
from fake_s3 import Bucket

from fruits_pipeline import schemas
from fruits_pipeline.datasets import (
    DeltaBatches,
    DeltaCounts,
    DeltaListing,
    DeltaPandas,
    DeltaSpark,
    TableState,
)
from fruits_pipeline.datasets.previews.contact_sheet import (
    Shown,
    canonical_sheet,
    photo_sheet,
    text_image,
)
from fruits_pipeline.lineage import Lineage
from fruits_pipeline.spark.frames import from_tables

VIEWS = [DeltaBatches, DeltaSpark, DeltaPandas, TableState]
NOTHING = "Nothing is stored yet; `kedro run` writes it."


@pytest.fixture(scope="module")
def root(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the root of tables with four photos, one of them with an error."""
    folder = tmp_path_factory.mktemp("root")
    rows = [
        key_of(f"Test/Kiwi/{i}.jpg")
        | {"content": jpeg(i), "image": jpeg(i), "features": [0.5] * 1336}
        | {"error": "torn" if i == 3 else None}
        for i in range(4)
    ]
    for name in ("photos", "images", "features"):
        schema = getattr(schemas, name.upper())
        table = DeltaBatches(filepath=str(folder / name), table=name)
        table.prepare(Lineage({}))
        part = arrow_table(rows, schema)
        table.save({"000001": lambda part=part, s=schema: from_tables([part], s)})
    return folder


def kind(dataset: Any) -> str:
    """Return the kind of a preview as Kedro-Viz finds it."""
    return str(inspect.signature(dataset.preview).return_annotation)


@pytest.mark.parametrize("view", VIEWS)
def test_rows_of_features_are_a_table(root: Path, view: type) -> None:
    dataset = view(filepath=str(root / "features"), table="features")
    assert "TablePreview" in kind(dataset)
    preview = dataset.preview()
    assert preview["columns"][:2] == ["path", "label"]
    assert preview["columns"][-2:] == ["batch", "photo_id"]
    assert len(preview["data"]) == 4
    row = dict(zip(preview["columns"], preview["data"][0], strict=True))
    assert row["path"] == "Test/Kiwi/0.jpg"
    assert "1,336 values" in row["features"].replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("view", [*VIEWS, DeltaListing])
def test_photos_without_an_error_are_a_contact_sheet(root: Path, view: type) -> None:
    shown = [Shown("Kiwi", jpeg(i)) for i in range(3)]
    for name, draw in (("photos", photo_sheet), ("images", canonical_sheet)):
        dataset = view(filepath=str(root / name), table=name)
        assert "ImagePreview" in kind(dataset)
        assert dataset.preview() == draw(shown)


def test_counts_are_shown_by_batch(root: Path) -> None:
    dataset = DeltaCounts(filepath=str(root / "images"), table="images")
    assert "TablePreview" in kind(dataset)
    (row,) = dataset.preview()["data"]
    assert row[:3] == ["000001", "4", "1"]


def test_tables_in_a_bucket_are_shown(
    root: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")  # delta-rs refuses it by default
    files = [path for path in root.rglob("*") if path.is_file()]
    url = bucket.put({str(f.relative_to(root)): f.read_bytes() for f in files})
    for name in ("images", "features"):
        local, remote = (
            DeltaBatches(filepath=f"{folder}/{name}", table=name).preview()
            for folder in (root, url)
        )
        assert remote == local
    missing = DeltaBatches(filepath=f"{url}/moments", table="moments")
    assert missing.preview()["data"] == [[NOTHING]]


def test_missing_table_is_explained(tmp_path: Path) -> None:
    features, photos = (
        DeltaBatches(filepath=str(tmp_path / name), table=name)
        for name in ("features", "photos")
    )
    assert features.preview()["data"] == [[NOTHING]]
    assert photos.preview() == text_image(NOTHING)


def test_damaged_file_is_explained(root: Path, tmp_path: Path) -> None:
    table = tmp_path / "features"
    for file in (root / "features").rglob("*"):
        target = table / file.relative_to(root / "features")
        if file.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            is_data = file.suffix == ".parquet"
            target.write_bytes(b"torn" if is_data else file.read_bytes())
    preview = DeltaBatches(filepath=str(table), table="features").preview()
    ((text,),) = preview["data"]
    assert "unreadable" in text
