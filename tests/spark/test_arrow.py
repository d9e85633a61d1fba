import hashlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import fsspec
import numpy as np
import pyarrow as pa
import pytest
from factories import BACKBONE, PROJECT, jpeg, truncated, write_files
from fsspec.implementations.local import LocalFileSystem

from fruits_pipeline import schemas
from fruits_pipeline.datasets import BackboneFolder
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.imaging.photos import Fit
from fruits_pipeline.imaging.photos import fit as fit_photo
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.models.moments import moments_of, unpack
from fruits_pipeline.models.pca import Pca, fit
from fruits_pipeline.spark.arrow import (
    embed,
    fetch,
    make_canonical,
    measure,
    moments_in,
    project,
    vectors,
    without,
)

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
RULES = [
    re.compile(
        r"(?P<split>Test|Training)/(?P<label>[^/]+)/((?P<series>[a-z])_)?\d+\.jpg"
    ),
    re.compile(r"(?P<label>[^/]+)/.+"),
]
WIDTH = 6
FEATURES = np.random.default_rng(0).normal(size=(9, WIDTH)).astype(np.float32)

Row = Mapping[str, Any]


def batch(schema: pa.Schema, rows: Sequence[Row]) -> pa.RecordBatch:
    """Return rows as Arrow's, columns that they leave out being null."""
    full = [{name: row.get(name) for name in schema.names} for row in rows]
    return pa.RecordBatch.from_pylist(full, schema)


def key(path: str) -> dict[str, str]:
    return {
        "path": path,
        "photo_id": f"id of {path}",
        "label": "Apple",
        "split": "Test",
        "series": "Apple/r",
    }


def listing(root: Path | str, *paths: str, size: int = 10) -> pa.RecordBatch:
    rows = [
        {"root": str(root), "path": path, "size_bytes": size, "modified_at": NOON}
        for path in paths
    ]
    return batch(schemas.LISTING, rows)


def read(*batches: pa.RecordBatch) -> list[pa.RecordBatch]:
    """Read the photos of a listing."""
    return [*fetch(iter(batches), RULES, requests_in_flight=4)]


def photo(path: str, content: bytes) -> dict[str, Any]:
    return key(path) | {"content": content, "size_bytes": len(content)}


def features(first: int, last: int) -> pa.RecordBatch:
    rows = [key(f"{i}.jpg") | {"features": FEATURES[i]} for i in range(first, last)]
    return batch(schemas.FEATURES, rows)


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return BackboneFolder(filepath=str(BACKBONE)).load()


@pytest.fixture(scope="module")
def pca() -> Pca:
    return fit(moments_of(FEATURES), 0.9, standardise=False, max_components=None)


Step = tuple[Callable[..., Iterator[pa.RecordBatch]], pa.RecordBatch, pa.Schema]


@pytest.fixture(params=["fetch", "make_canonical", "embed", "project"])
def step(request: pytest.FixtureRequest, tmp_path: Path) -> Step:
    """Return a step that makes a row of each row, three rows for it, and its schema."""
    paths = ["a.jpg", "b.jpg", "c.jpg"]
    if request.param == "fetch":
        write_files(tmp_path, {path: jpeg(1) for path in paths})
        bound = partial(fetch, rules=RULES, requests_in_flight=2)
        return bound, listing(tmp_path, *paths), schemas.PHOTOS
    if request.param == "make_canonical":
        rows = batch(schemas.PHOTOS, [photo(path, jpeg(1)) for path in paths])
        bound = partial(make_canonical, short_side=32, max_pixels=10_000)
        return bound, rows, schemas.IMAGES
    if request.param == "embed":
        rows = batch(schemas.IMAGES, [key(path) | {"image": jpeg(1)} for path in paths])
        shipped = SimpleNamespace(value=request.getfixturevalue("backbone"))
        return partial(embed, backbone=shipped, how="pad"), rows, schemas.FEATURES
    shipped = SimpleNamespace(value=request.getfixturevalue("pca"))
    return partial(project, pca=shipped), features(0, 3), schemas.REDUCED


@pytest.mark.parametrize(
    "cuts",
    [[], [(0, 0)], [(0, 1)], [(0, 3)], [(0, 2), (0, 0), (2, 1)], [(1, 2)]],
    ids=["no batch", "empty batch", "one row", "three rows", "batches", "a slice"],
)
def test_every_row_has_a_row_and_its_key_in_the_declared_columns(
    step: Step, cuts: list[tuple[int, int]]
) -> None:
    run, rows, schema = step
    parts = [rows.slice(offset, length) for offset, length in cuts]
    made = [*run(iter(parts))]
    assert all(part.schema == schema for part in made)
    for part in made:
        part.validate(full=True)
    expected = [path for part in parts for path in part["path"].to_pylist()]
    assert [path for part in made for path in part["path"].to_pylist()] == expected
    known = [field.name for field in schemas.KEY if field.name in rows.schema.names]
    for name in known:
        values = [v for part in parts for v in part[name].to_pylist()]
        assert [v for part in made for v in part[name].to_pylist()] == values


ODD_NAMES = [
    "a b/c d.jpg",
    "100%/%20.jpg",
    "#1/x#y?z.jpg",
    "[a]/[0-9]*.jpg",
    "{b}/~x.jpg",
    "🍎/Pe\u0302che.jpg",
    'a\\b/it\'s "x".jpg',
    "s3::x/http:y.jpg",
]


@pytest.mark.parametrize("kind", ["local", "memory"])
def test_photos_are_read_whatever_their_names(kind: str, tmp_path: Path) -> None:
    contents = {name: name.encode() for name in ODD_NAMES}
    root = (
        f"{tmp_path}/[my] #photos%20" if kind == "local" else f"memory://{uuid4().hex}"
    )
    if kind == "local":
        write_files(Path(root), contents)
    else:
        store = fsspec.filesystem("memory")
        names = [name for name in ODD_NAMES if "::" not in name]
        contents = {name: contents[name] for name in names}
        store.pipe({f"{root}/{name}": content for name, content in contents.items()})
    (photos,) = read(listing(root, *contents))
    found = dict(
        zip(photos["path"].to_pylist(), photos["content"].to_pylist(), strict=True)
    )
    assert found == contents
    digests = [hashlib.sha256(content).hexdigest() for content in contents.values()]
    assert photos["photo_id"].to_pylist() == digests


def test_a_photo_keeps_what_the_listing_says(tmp_path: Path) -> None:
    write_files(tmp_path, {"x.jpg": b"1"})
    listed = {"path": "x.jpg", "size_bytes": 1, "modified_at": NOON, "etag": "abc"}
    (photos,) = read(batch(schemas.LISTING, [listed | {"root": str(tmp_path)}]))
    (row,) = photos.to_pylist()
    read_off = {
        **dict.fromkeys(["label", "split", "series"]),
        "photo_id": hashlib.sha256(b"1").hexdigest(),
        "content": b"1",
    }
    assert row == listed | read_off


def test_label_split_and_series_are_read_off_the_path_by_the_first_rule_that_fits(
    tmp_path: Path,
) -> None:
    expected = {
        "Test/Apple/r_1.jpg": ("Apple", "Test", "Apple/r"),
        "Training/Pe\u0302che/1.jpg": ("P\xeache", "Training", "P\xeache/"),
        "Lemon/x.jpg": ("Lemon", None, None),
        "x.jpg": (None, None, None),
    }
    write_files(tmp_path, dict.fromkeys(expected, b"1"))
    (photos,) = read(listing(tmp_path, *expected))
    found = {
        row["path"]: (row["label"], row["split"], row["series"])
        for row in photos.to_pylist()
    }
    assert found == expected


def test_every_batch_is_read_from_its_own_store(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_files(tmp_path / name, {"x.jpg": name.encode()})
    stores = [listing(tmp_path / name, "x.jpg") for name in ("one", "two")]
    contents = [photos["content"].to_pylist() for photos in read(*stores)]
    assert contents == [[b"one"], [b"two"]]


def test_a_photo_that_vanished_after_it_was_listed_is_left_out(tmp_path: Path) -> None:
    write_files(tmp_path, {"a/1.jpg": b"1", "c/3.jpg": b"3"})
    paths = ["a/1.jpg", "b/2.jpg", "gone/c.jpg", "c/3.jpg"]
    (photos,) = read(listing(tmp_path, *paths))
    assert photos["path"].to_pylist() == ["a/1.jpg", "c/3.jpg"]
    assert photos["content"].to_pylist() == [b"1", b"3"]
    assert photos["label"].to_pylist() == ["a", "c"]


def test_an_empty_photo_is_kept(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.jpg": b""})
    (photos,) = read(listing(tmp_path, "a.jpg", size=0))
    assert photos["content"].to_pylist() == [b""]


def test_a_photo_that_may_not_be_read_is_an_error_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path, {"a.jpg": b"1", "b c.jpg": b"2"})
    as_ever = LocalFileSystem.cat_file

    def guarded(self: LocalFileSystem, path: str) -> bytes:
        if path.endswith("b c.jpg"):
            raise PermissionError(13, "Permission denied")
        return bytes(as_ever(self, path))

    monkeypatch.setattr(LocalFileSystem, "cat_file", guarded)
    with pytest.raises(FruitsError, match=r"cannot be read: b c\.jpg .*Permission"):
        read(listing(tmp_path, "a.jpg", "b c.jpg"))


def test_a_folder_named_like_a_photo_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").mkdir()
    with pytest.raises(FruitsError, match=r"cannot be read: x\.jpg .*directory"):
        read(listing(tmp_path, "x.jpg"))


def test_a_photo_that_cannot_be_decoded_keeps_its_row_with_the_error() -> None:
    rows = [photo("a", jpeg(1, (90, 60))), photo("b", truncated(2)), photo("c", b"")]
    (made,) = make_canonical(iter([batch(schemas.PHOTOS, rows)]), 30, 10_000)
    good, bad, empty = made.to_pylist()
    assert (good["width"], good["height"], good["error"]) == (90, 60, None)
    assert good["image"].startswith(b"\xff\xd8")
    assert (bad["path"], bad["photo_id"]) == ("b", "id of b")
    assert bad["image"] is None
    assert bad["error"].startswith("cannot be decoded: ")
    assert empty["error"] == "empty file (0 bytes)"


def test_rows_with_an_error_have_no_features(backbone: Backbone) -> None:
    rows = [
        key("a") | {"image": jpeg(1)},
        key("b") | {"error": "broken"},
        key("c") | {"image": jpeg(2)},
    ]
    shipped = SimpleNamespace(value=backbone)
    (made,) = embed(iter([batch(schemas.IMAGES, rows)]), shipped, "pad")
    assert made["path"].to_pylist() == ["a", "c"]
    (last,) = backbone.embed([fit_photo(jpeg(2), backbone.card.input_size, "pad")])
    np.testing.assert_array_equal(vectors(made["features"])[1], last)
    (none,) = embed(iter([batch(schemas.IMAGES, rows[1:2])]), shipped, "pad")
    assert (len(none), none.schema) == (0, schemas.FEATURES)


@pytest.mark.parametrize("how", ["pad", "crop"])
def test_features_are_those_of_the_backbone(backbone: Backbone, how: Fit) -> None:
    images = [jpeg(seed, (60, 40)) for seed in range(3)]
    rows = [key(str(i)) | {"image": image} for i, image in enumerate(images)]
    shipped = SimpleNamespace(value=backbone)
    (made,) = embed(iter([batch(schemas.IMAGES, rows)]), shipped, how)
    pixels = [fit_photo(image, backbone.card.input_size, how) for image in images]
    found = vectors(made["features"])
    np.testing.assert_array_equal(found, [*backbone.embed(pixels)])


@pytest.mark.parametrize("cuts", [[9], [1, 8], [4, 0, 5], [1] * 9])
def test_all_batches_are_measured_to_one_row(cuts: list[int]) -> None:
    ends = np.cumsum([0, *cuts])
    parts = [features(a, b) for a, b in zip(ends, ends[1:], strict=False)]
    (made,) = measure(iter(parts))
    assert (made.schema, len(made)) == (schemas.MOMENTS, 1)
    found = unpack(
        *(made["n"][0].as_py(), vectors(made["mean"])[0], vectors(made["comoment"])[0])
    )
    expected = moments_of(FEATURES)
    assert found.n == 9
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-12)
    np.testing.assert_allclose(found.comoment, expected.comoment, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("parts", [[], [features(0, 0)]], ids=["no batch", "empty"])
def test_no_features_are_measured_to_one_row_of_none(
    parts: list[pa.RecordBatch],
) -> None:
    (made,) = measure(iter(parts))
    assert made.schema == schemas.MOMENTS
    assert made.to_pylist() == [{"n": 0, "mean": [], "comoment": [], "keys": "0" * 16}]


def test_every_row_of_moments_is_read_again() -> None:
    parts = [features(0, 4), features(0, 0), features(4, 9)]
    rows = pa.concat_batches([row for part in parts for row in measure(iter([part]))])
    found = [*moments_in(rows)]
    assert [one.n for one in found] == [4, 0, 5]
    assert found[1].width == 0
    for one, part in ((found[0], FEATURES[:4]), (found[2], FEATURES[4:])):
        expected = moments_of(part)
        np.testing.assert_array_equal(one.mean, expected.mean)
        np.testing.assert_allclose(one.comoment, expected.comoment, rtol=1e-12)
        np.testing.assert_array_equal(one.comoment, one.comoment.T)


def test_without_rows_there_are_no_moments() -> None:
    assert [*moments_in(batch(schemas.MOMENTS, []))] == []


def test_components_are_those_of_the_model(pca: Pca) -> None:
    (made,) = project(iter([features(2, 7)]), SimpleNamespace(value=pca))
    found = vectors(made["components"])
    np.testing.assert_array_equal(found, pca.transform(FEATURES[2:7]))
    assert found.shape[1] == len(pca.components) < WIDTH


def test_features_of_another_width_are_refused(pca: Pca) -> None:
    rows = [key("x") | {"features": [1.0] * (WIDTH + 1)}]
    with pytest.raises(ValueError, match="cannot reshape"):
        next(project(iter([batch(schemas.FEATURES, rows)]), SimpleNamespace(value=pca)))


def test_rows_of_some_paths_are_left_out() -> None:
    first, second = features(0, 3), features(3, 5)
    made = [*without(iter([first, second]), pa.array(["1.jpg", "3.jpg", "4.jpg"]))]
    kept = [part["path"].to_pylist() for part in made]
    assert kept == [["0.jpg", "2.jpg"], []]
    assert {part.schema for part in made} == {schemas.FEATURES}
    np.testing.assert_array_equal(vectors(made[0]["features"]), FEATURES[[0, 2]])


def test_without_paths_every_row_is_kept() -> None:
    (made,) = without(iter([features(0, 3)]), pa.array([], pa.string()))
    assert made == features(0, 3)


WORKER = """
import sys
from fruits_pipeline.spark import arrow
loaded = {name.partition(".")[0] for name in sys.modules}
print(sorted(loaded & {"pyspark", "kedro", "kedro_datasets", "pandas", "tensorflow"}))
"""


def test_a_worker_loads_neither_spark_nor_kedro_for_its_steps() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WORKER],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr
