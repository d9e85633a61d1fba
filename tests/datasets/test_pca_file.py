from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from kedro.io.core import DatasetError

from fruits_pipeline.datasets import FittedPca, PcaFile
from fruits_pipeline.moments import moments_of
from fruits_pipeline.pca import fit

FEATURES = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)
RECIPE = {"reduce.variance": 0.9, "ingest.path_rules": ["(?P<label>[^/]+)/\u00ea"]}


def fitted(
    batches: tuple[str, ...] = ("000001", "000002"), variance: float = 0.9
) -> FittedPca:
    model = fit(moments_of(FEATURES), variance, standardise=True, max_components=None)
    return FittedPca(model, batches, RECIPE | {"reduce.variance": variance})


@pytest.fixture(params=["local", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    root = f"memory://{uuid4().hex}" if request.param == "memory" else str(tmp_path)
    return f"{root}/06_models/pca.npz"


@pytest.mark.parametrize("batches", [("000001",), ("000001", "000002"), ()])
def test_what_is_saved_is_loaded(place: str, batches: tuple[str, ...]) -> None:
    file, saved = PcaFile(filepath=place), fitted(batches)
    assert not file.exists()
    file.save(saved)
    assert file.exists()
    loaded = PcaFile(filepath=place).load()
    assert loaded is not None
    assert (loaded.batches, loaded.recipe) == (batches, saved.recipe)
    assert loaded.model.n == 20
    assert loaded.model.digest == saved.model.digest
    np.testing.assert_array_equal(loaded.model.spectrum, saved.model.spectrum)
    np.testing.assert_array_equal(
        loaded.model.transform(FEATURES), saved.model.transform(FEATURES)
    )


def test_before_the_first_run_there_is_no_model(place: str) -> None:
    assert PcaFile(filepath=place).load() is None


def test_a_model_of_the_same_recipe_is_replaced(place: str) -> None:
    file = PcaFile(filepath=place)
    file.save(fitted(("000001",)))
    file.save(fitted(("000001", "000002")))
    loaded = file.load()
    assert loaded is not None
    assert loaded.batches == ("000001", "000002")


def test_a_model_of_another_recipe_is_kept_and_the_new_one_refused(place: str) -> None:
    file = PcaFile(filepath=place)
    file.save(fitted(variance=0.9))
    with pytest.raises(DatasetError, match=r"reduce\.variance was 0\.9, is 0\.5"):
        file.save(fitted(variance=0.5))
    loaded = file.load()
    assert loaded is not None
    assert loaded.recipe["reduce.variance"] == 0.9


def test_a_model_of_another_recipe_is_replaced_where_it_may_be(place: str) -> None:
    PcaFile(filepath=place).save(fitted(variance=0.9))
    file = PcaFile(filepath=place, changed_recipe="rebuild")
    file.save(fitted(variance=0.5))
    loaded = file.load()
    assert loaded is not None
    assert loaded.recipe["reduce.variance"] == 0.5


def test_numpy_alone_can_read_and_apply_the_file(tmp_path: Path) -> None:
    saved = fitted()
    PcaFile(filepath=f"{tmp_path}/pca.npz").save(saved)
    with np.load(tmp_path / "pca.npz", allow_pickle=False) as pca:
        reduced = (FEATURES - pca["mean"]) / pca["scale"] @ pca["components"].T
    np.testing.assert_allclose(reduced, saved.model.transform(FEATURES), rtol=1e-6)
