import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factories import fingerprints
from kedro.io.core import DatasetError

from fruits_pipeline.datasets import FittedPca, PcaFile
from fruits_pipeline.datasets.pca_content import StoredPca, encode_pca
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.files import write_atomically
from fruits_pipeline.lineage import Lineage
from fruits_pipeline.models.moments import moments_of
from fruits_pipeline.models.pca import fit

FEATURES = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)
RECIPE = {"reduce.variance": 0.9, "ingest.path_rules": ["(?P<label>[^/]+)/\u00ea"]}
OTHER_RECIPE = RECIPE | {"reduce.variance": 0.5}


class Moments:
    """The table of moments that the PCA is fitted to."""

    def __init__(self, table_id: str) -> None:
        self.table_id = table_id

    def build_id(self) -> str:
        return self.table_id

    def check_current(self) -> None:
        """Accept every state."""


def fitted(
    batches: tuple[str, ...] = ("000001", "000002"), variance: float = 0.9
) -> FittedPca:
    model = fit(moments_of(FEATURES), variance, standardise=True, max_components=None)
    return FittedPca(model, batches)


def lineage(recipe: dict[str, Any] = RECIPE, moments: str = "first") -> Lineage:
    return Lineage(recipe, (Moments(moments),))


@pytest.fixture
def path(folder: str) -> str:
    return f"{folder}/06_models/pca.npz"


@pytest.fixture
def saved(path: str) -> PcaFile:
    """A file with a PCA of the lineage `lineage()`."""
    dataset = PcaFile(filepath=path)
    dataset.prepare(lineage())
    dataset.save(fitted())
    return dataset


@pytest.mark.parametrize("batches", [("000001",), ("000001", "000002"), ()])
def test_saved_pca_is_loaded(path: str, batches: tuple[str, ...]) -> None:
    dataset, pca = PcaFile(filepath=path), fitted(batches)
    assert not dataset.exists()
    dataset.prepare(lineage())
    dataset.save(pca)
    assert dataset.exists()
    loaded = PcaFile(filepath=path).load()
    assert loaded is not None
    assert (loaded.batches, dataset.recipe()) == (batches, RECIPE)
    assert loaded.model.n == 20
    assert dataset.build_id() == loaded.model.digest == pca.model.digest
    np.testing.assert_array_equal(loaded.model.spectrum, pca.model.spectrum)
    np.testing.assert_array_equal(
        loaded.model.transform(FEATURES), pca.model.transform(FEATURES)
    )


def test_missing_pca_is_none_or_an_error(path: str) -> None:
    assert PcaFile(filepath=path, optional=True).load() is None
    with pytest.raises(DatasetError, match=r"Found no PCA in .*`kedro run`"):
        PcaFile(filepath=path).load()


def test_saving_replaces_the_pca(saved: PcaFile) -> None:
    saved.save(fitted(("000001", "000002", "000003")))
    loaded = saved.load()
    assert loaded is not None
    assert loaded.batches == ("000001", "000002", "000003")


def test_identical_pca_is_not_written_again(tmp_path: Path) -> None:
    dataset = PcaFile(filepath=str(tmp_path / "pca.npz"))
    dataset.prepare(lineage())
    dataset.save(fitted())
    before = fingerprints(tmp_path)
    dataset.save(fitted())
    assert fingerprints(tmp_path) == before


def test_changed_recipe_is_refused(saved: PcaFile) -> None:
    with pytest.raises(FruitsError, match=r"reduce\.variance was 0\.9, is 0\.5"):
        PcaFile(filepath=saved.filepath).check(lineage(OTHER_RECIPE))


@pytest.mark.parametrize(
    "other",
    [lineage(OTHER_RECIPE), lineage(moments="rebuilt")],
    ids=["another recipe", "other moments"],
)
def test_pca_of_another_lineage_is_not_loaded(saved: PcaFile, other: Lineage) -> None:
    dataset = PcaFile(filepath=saved.filepath, changed_recipe="rebuild", optional=True)
    dataset.check(other)
    dataset.prepare(other)
    assert dataset.load() is None
    dataset.save(fitted(variance=0.5))
    assert dataset.load() is not None
    assert dataset.recipe() == other.recipe


def test_accepted_location_keeps_the_pca(path: str) -> None:
    dataset = PcaFile(filepath=path, changed_location="accept", optional=True)
    dataset.prepare(lineage({**RECIPE, "photos": "old"}))
    dataset.save(fitted())
    moved = lineage({**RECIPE, "photos": "new"})
    dataset.check(moved)
    dataset.prepare(moved)
    assert dataset.load() is not None
    assert dataset.recipe() == moved.recipe


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_damaged_file_is_reported(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pca.npz").write_bytes(content)
    with pytest.raises(DatasetError, match=r"pca\.npz damaged .*make mend"):
        PcaFile(filepath=str(tmp_path / "pca.npz")).load()


def test_file_is_readable_with_numpy_alone(tmp_path: Path) -> None:
    pca = fitted()
    PcaFile(filepath=f"{tmp_path}/pca.npz").save(pca)
    with np.load(tmp_path / "pca.npz", allow_pickle=False) as arrays:
        reduced = (FEATURES - arrays["mean"]) / arrays["scale"] @ arrays["components"].T
    np.testing.assert_allclose(reduced, pca.model.transform(FEATURES), rtol=1e-6)


def test_pca_of_another_run_is_not_replaced(path: str) -> None:
    first, second = PcaFile(filepath=path), PcaFile(filepath=path)
    for run in (first, second):
        run.prepare(lineage())
    first.save(fitted())
    with pytest.raises(DatasetError, match="another run has begun to write"):
        second.save(fitted(variance=0.5))
    third = PcaFile(filepath=path)
    third.pin()
    assert third.load() is not None
    first.save(fitted(variance=0.5))
    with pytest.raises(FruitsError, match="another run has begun to write"):
        third.check_current()
    with pytest.raises(DatasetError, match="another run has begun to write"):
        third.load()


def test_pca_of_a_newer_version_is_refused(path: str) -> None:
    content = encode_pca(StoredPca(fitted(), RECIPE, ["first"]))
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        newer = {**arrays, "schema_version": np.array(99)}
    buffer = io.BytesIO()
    np.savez(buffer, **newer)
    write_atomically(path, buffer.getvalue())
    with pytest.raises(
        FruitsError, match="of schema version 99, which a newer version"
    ):
        PcaFile(filepath=path).check(lineage())


def test_pca_of_an_older_version_is_upgraded(path: str) -> None:
    """It has no version, and lacks a parameter in its recipe."""
    content = encode_pca(StoredPca(fitted(), RECIPE, ["first"]))
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        older = {name: arrays[name] for name in arrays if name != "schema_version"}
    buffer = io.BytesIO()
    np.savez(buffer, **older)
    write_atomically(path, buffer.getvalue())
    new = lineage(RECIPE | {"preprocess.seconds_per_photo": 60})
    dataset = PcaFile(filepath=path, optional=True)
    dataset.check(new)
    dataset.prepare(new)
    assert dataset.recipe() == new.recipe
    loaded = dataset.load()
    assert loaded is not None
    assert loaded.model.digest == fitted().model.digest
