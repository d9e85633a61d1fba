import pickle
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import yaml
from factories import BACKBONE, PROJECT, jpeg
from pydantic import ValidationError

from fruits_pipeline.datasets import BackboneFolder
from fruits_pipeline.imaging.photos import fit
from fruits_pipeline.models.backbones import Backbone, Card


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    """What the project ships."""
    return BackboneFolder(filepath=str(BACKBONE)).load()


@pytest.fixture(scope="module")
def photos(backbone: Backbone) -> list[np.ndarray]:
    return [fit(jpeg(seed), backbone.card.input_size, "pad") for seed in range(4)]


def test_a_photo_becomes_as_many_features_as_the_card_says(
    backbone: Backbone, photos: list[np.ndarray]
) -> None:
    features = [*backbone.embed(photos)]
    assert {f.shape for f in features} == {(backbone.card.width,)}
    assert {f.dtype for f in features} == {np.dtype(np.float32)}
    assert np.isfinite(features).all()


def test_features_tell_photos_apart(
    backbone: Backbone, photos: list[np.ndarray]
) -> None:
    features = np.array([*backbone.embed(photos)])
    distances = np.linalg.norm(features[:, np.newaxis] - features, axis=-1)
    apart = distances[~np.eye(len(photos), dtype=bool)]
    assert apart.min() > 0.1 * np.linalg.norm(features, axis=1).mean()


def test_features_depend_on_their_photo_alone(
    backbone: Backbone, photos: list[np.ndarray]
) -> None:
    together = [*backbone.embed(photos)]
    for photo, expected in zip(photos[::-1], together[::-1], strict=True):
        (alone,) = backbone.embed([photo])
        np.testing.assert_array_equal(alone, expected)


def test_photos_are_taken_one_by_one(
    backbone: Backbone, photos: list[np.ndarray]
) -> None:
    taken = []

    def source() -> Iterator[np.ndarray]:
        for i, photo in enumerate(photos):
            taken.append(i)
            yield photo

    features = backbone.embed(source())
    next(features)
    assert taken == [0]


def test_no_photos_have_no_features(backbone: Backbone) -> None:
    assert [*backbone.embed([])] == []


@pytest.mark.parametrize("change", [lambda p: p[:-1], lambda p: p.astype(np.float32)])
def test_pixels_of_another_size_or_kind_are_refused(
    backbone: Backbone, photos: list[np.ndarray], change: Any
) -> None:
    with pytest.raises(ValueError, match="Cannot set tensor"):
        next(backbone.embed([change(photos[0])]))


def test_a_backbone_travels_to_workers(
    backbone: Backbone, photos: list[np.ndarray]
) -> None:
    list(backbone.embed(photos[:1]))  # with an interpreter, which cannot travel
    again = pickle.loads(pickle.dumps(backbone))
    np.testing.assert_array_equal([*again.embed(photos)], [*backbone.embed(photos)])


def test_a_card_of_another_file_is_refused(backbone: Backbone) -> None:
    with pytest.raises(ValueError, match="SHA-256 .*, but its card says"):
        Backbone(backbone.model + b"\0", backbone.card)


def test_a_card_with_an_unknown_entry_is_refused(backbone: Backbone) -> None:
    with pytest.raises(ValidationError, match="preprocessing"):
        Card(**backbone.card.model_dump(), preprocessing="caffe")  # type: ignore[call-arg]


def test_the_backbone_that_ships_is_the_one_that_the_parameters_describe(
    backbone: Backbone,
) -> None:
    file = PROJECT / "conf/base/parameters_backbone.yml"
    described = yaml.safe_load(file.read_text())["backbone"]
    assert backbone.card.architecture == described["architecture"]
    assert backbone.card.arguments == described["arguments"]
    assert backbone.card.input_size == described["input_size"]


RUN = """
import sys
from types import SimpleNamespace

import pyarrow as pa
from kedro.framework.project import configure_project, pipelines

from fruits_pipeline import schemas
from fruits_pipeline.datasets import BackboneFolder
from fruits_pipeline.spark import arrow

configure_project("fruits_pipeline")
assert {"featurize", "backbone", "__default__"} <= pipelines.keys()
backbone = BackboneFolder(filepath=sys.argv[1]).load()
row = dict.fromkeys(schemas.IMAGES.names) | {"image": bytes.fromhex(sys.argv[2])}
rows = iter([pa.RecordBatch.from_pylist([row], schemas.IMAGES)])
(features,) = arrow.embed(rows, SimpleNamespace(value=backbone), "pad")
assert len(features["features"][0]) == backbone.card.width
loaded = {name.partition(".")[0] for name in sys.modules}
print(sorted(loaded & {"tensorflow", "keras"}))
"""


def test_a_run_never_imports_tensorflow() -> None:
    arguments = [sys.executable, "-c", RUN, BACKBONE, jpeg(0).hex()]
    done = subprocess.run(
        arguments, cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr
