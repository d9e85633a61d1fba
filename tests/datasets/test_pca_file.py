from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from factories import fingerprints
from kedro.io.core import DatasetError

from fruits_pipeline.datasets import FittedPca, PcaFile
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.lineage import Lineage
from fruits_pipeline.models.moments import moments_of
from fruits_pipeline.models.pca import fit

FEATURES = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)
RECIPE = {"reduce.variance": 0.9, "ingest.path_rules": ["(?P<label>[^/]+)/\u00ea"]}
OTHER = RECIPE | {"reduce.variance": 0.5}


class Table:
    """A source of moments."""

    def __init__(self, identity: str) -> None:
        self.id = identity

    def identity(self) -> str:
        return self.id


def fitted(
    batches: tuple[str, ...] = ("000001", "000002"), variance: float = 0.9
) -> FittedPca:
    model = fit(moments_of(FEATURES), variance, standardise=True, max_components=None)
    return FittedPca(model, batches)


def lineage(recipe: dict[str, Any] = RECIPE, moments: str = "first") -> Lineage:
    return Lineage(recipe, (Table(moments),))


@pytest.fixture(params=["local", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    root = f"memory://{uuid4().hex}" if request.param == "memory" else str(tmp_path)
    return f"{root}/06_models/pca.npz"


@pytest.fixture
def file(place: str) -> PcaFile:
    """A file with a model that was fitted to the first moments."""
    file = PcaFile(filepath=place)
    file.prepare(lineage())
    file.save(fitted())
    return file


@pytest.mark.parametrize("batches", [("000001",), ("000001", "000002"), ()])
def test_what_is_saved_is_loaded(place: str, batches: tuple[str, ...]) -> None:
    file, saved = PcaFile(filepath=place), fitted(batches)
    assert not file.exists()
    file.prepare(lineage())
    file.save(saved)
    assert file.exists()
    loaded = PcaFile(filepath=place).load()
    assert loaded is not None
    assert (loaded.batches, file.recipe()) == (batches, RECIPE)
    assert loaded.model.n == 20
    assert file.identity() == loaded.model.digest == saved.model.digest
    np.testing.assert_array_equal(loaded.model.spectrum, saved.model.spectrum)
    np.testing.assert_array_equal(
        loaded.model.transform(FEATURES), saved.model.transform(FEATURES)
    )


def test_before_the_first_run_there_is_no_model(place: str) -> None:
    assert PcaFile(filepath=place, optional=True).load() is None
    with pytest.raises(DatasetError, match=r"Found no PCA in .*`kedro run`"):
        PcaFile(filepath=place).load()


def test_a_model_of_the_same_recipe_is_replaced(file: PcaFile) -> None:
    file.save(fitted(("000001", "000002", "000003")))
    loaded = file.load()
    assert loaded is not None
    assert loaded.batches == ("000001", "000002", "000003")


def test_the_same_model_is_not_written_again(tmp_path: Path) -> None:
    file = PcaFile(filepath=str(tmp_path / "pca.npz"))
    file.prepare(lineage())
    file.save(fitted())
    before = fingerprints(tmp_path)
    file.save(fitted())
    assert fingerprints(tmp_path) == before


def test_another_recipe_is_refused(file: PcaFile) -> None:
    with pytest.raises(FruitsError, match=r"reduce\.variance was 0\.9, is 0\.5"):
        PcaFile(filepath=file.filepath).prepare(lineage(OTHER))


@pytest.mark.parametrize(
    "other",
    [lineage(OTHER), lineage(moments="rebuilt")],
    ids=["another recipe", "other moments"],
)
def test_a_model_of_another_lineage_counts_as_absent(
    file: PcaFile, other: Lineage
) -> None:
    again = PcaFile(filepath=file.filepath, changed_recipe="rebuild", optional=True)
    again.prepare(other)
    assert again.load() is None
    again.save(fitted(variance=0.5))
    assert again.load() is not None
    assert again.recipe() == other.recipe


def test_a_model_is_kept_if_only_the_photos_have_moved(place: str) -> None:
    file = PcaFile(filepath=place, changed_location="accept")
    file.prepare(lineage({**RECIPE, "photos": "old"}))
    file.save(fitted())
    file.prepare(lineage({**RECIPE, "photos": "new"}))
    assert file.load() is not None


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_a_damaged_file_is_an_error_that_says_what_to_do(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "pca.npz").write_bytes(content)
    with pytest.raises(DatasetError, match=r"pca\.npz damaged .*Delete the file"):
        PcaFile(filepath=str(tmp_path / "pca.npz")).load()


def test_numpy_alone_can_read_and_apply_the_file(tmp_path: Path) -> None:
    saved = fitted()
    PcaFile(filepath=f"{tmp_path}/pca.npz").save(saved)
    with np.load(tmp_path / "pca.npz", allow_pickle=False) as pca:
        reduced = (FEATURES - pca["mean"]) / pca["scale"] @ pca["components"].T
    np.testing.assert_allclose(reduced, saved.model.transform(FEATURES), rtol=1e-6)
