import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import yaml
from factories import BACKBONE, PROJECT, jpeg, run_python
from pydantic import ValidationError

from fruits_pipeline.imaging.fitting import fit
from fruits_pipeline.models.backbones import Backbone, Card


@pytest.fixture(scope="module")
def photos(backbone: Backbone) -> list[np.ndarray]:
    return [fit(jpeg(seed), backbone.card.input_size, "pad") for seed in range(4)]


def test_number_of_features_is_the_width_on_the_card(
    backbone: Backbone, photos: list[np.ndarray]
) -> None:
    features = [*backbone.embed(photos)]
    assert {f.shape for f in features} == {(backbone.card.width,)}
    assert {f.dtype for f in features} == {np.dtype(np.float32)}
    assert np.isfinite(features).all()


def test_features_of_different_photos_differ(
    backbone: Backbone, photos: list[np.ndarray]
) -> None:
    features = np.array([*backbone.embed(photos)])
    distances = np.linalg.norm(features[:, np.newaxis] - features, axis=-1)
    between_photos = distances[~np.eye(len(photos), dtype=bool)]
    assert between_photos.min() > 0.1 * np.linalg.norm(features, axis=1).mean()


def test_features_do_not_depend_on_other_photos(
    backbone: Backbone, photos: list[np.ndarray]
) -> None:
    together = [*backbone.embed(photos)]
    for photo, expected in zip(photos[::-1], together[::-1], strict=True):
        (alone,) = backbone.embed([photo])
        np.testing.assert_array_equal(alone, expected)


def test_photos_are_read_one_at_a_time(
    backbone: Backbone, photos: list[np.ndarray]
) -> None:
    read = []

    def source() -> Iterator[np.ndarray]:
        for i, photo in enumerate(photos):
            read.append(i)
            yield photo

    features = backbone.embed(source())
    next(features)
    assert read == [0]


def test_no_photos_give_no_features(backbone: Backbone) -> None:
    assert [*backbone.embed([])] == []


@pytest.mark.parametrize("change", [lambda p: p[:-1], lambda p: p.astype(np.float32)])
def test_pixels_of_another_shape_or_type_are_rejected(
    backbone: Backbone, photos: list[np.ndarray], change: Any
) -> None:
    with pytest.raises(ValueError, match="Cannot set tensor"):
        next(backbone.embed([change(photos[0])]))


def test_backbone_can_be_pickled_after_use(
    backbone: Backbone, photos: list[np.ndarray]
) -> None:
    list(backbone.embed(photos[:1]))  # an interpreter cannot be pickled
    copy = pickle.loads(pickle.dumps(backbone))  # noqa: S301 - pickled here
    np.testing.assert_array_equal([*copy.embed(photos)], [*backbone.embed(photos)])


def test_card_of_another_file_is_rejected(backbone: Backbone) -> None:
    with pytest.raises(ValueError, match="its SHA-256 is .*, but the card states"):
        Backbone(backbone.model + b"\0", backbone.card)


def test_card_with_an_unknown_entry_is_rejected(backbone: Backbone) -> None:
    with pytest.raises(ValidationError, match="preprocessing"):
        Card(**backbone.card.model_dump(), preprocessing="caffe")  # type: ignore[call-arg]


def test_parameters_describe_the_backbone_of_the_project(backbone: Backbone) -> None:
    file = PROJECT / "conf/base/parameters_backbone.yml"
    parameters = yaml.safe_load(file.read_text())["backbone"]
    assert backbone.card.architecture == parameters["architecture"]
    assert backbone.card.arguments == parameters["arguments"]
    assert backbone.card.input_size == parameters["input_size"]


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
(features,) = arrow.embed(rows, SimpleNamespace(value=backbone), "pad", 60)
assert len(features["features"][0]) == backbone.card.width
loaded = {name.partition(".")[0] for name in sys.modules}
print(sorted(loaded & {"tensorflow", "keras", "sklearn"}))
"""


def test_featurize_imports_neither_tensorflow_nor_scikit_learn() -> None:
    assert run_python("-c", RUN, BACKBONE, jpeg(0).hex()) == "[]\n"
