"""The shipped phone model, and the command that builds it."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from factories import PROJECT, run_python, write_files
from litert_shapes import variable_shapes

from fruits_pipeline.datasets import PhoneModelFile
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.models.classifiers import UNKNOWN, LabelledVectors
from fruits_pipeline.models.phone_models import PhoneModel
from fruits_pipeline.parameters import SampleParameters
from fruits_pipeline.pipelines.sample.nodes import render_sample
from protocols import phone_model
from protocols.data import FRUITS, GROCERY
from protocols.measures import Task


@pytest.fixture(scope="module")
def shipped() -> PhoneModel:
    return PhoneModelFile(filepath=str(phone_model.FILE)).load()


def test_shipped_model_has_the_shipped_backbone_and_its_labels(
    shipped: PhoneModel, backbone: Backbone
) -> None:
    assert shipped.card.backbone == backbone.card.sha256
    assert shipped.card.input_size == backbone.card.input_size
    assert len(shipped.labels) == backbone.card.training["labels"]
    assert {"Braeburn", "Apple", "Banana", "Kiwi"} <= {*shipped.labels}


def test_shipped_model_expects_photos_like_the_pipeline(shipped: PhoneModel) -> None:
    parameters = {}
    for stage in ("preprocess", "featurize"):
        file = PROJECT / f"conf/base/parameters_{stage}.yml"
        parameters |= yaml.safe_load(file.read_text())[stage]
    assert shipped.card.short_side == parameters["short_side"]
    assert shipped.card.fit == parameters["fit"]


def test_shipped_model_has_fixed_shapes(shipped: PhoneModel) -> None:
    assert not variable_shapes(shipped.content)


def test_published_metrics_are_those_of_the_results(shipped: PhoneModel) -> None:
    results = json.loads(phone_model.RESULTS.read_text())
    assert results["backbone"] == shipped.card.backbone
    assert results["threshold"] == round(shipped.card.threshold, 4)
    text = (PROJECT / "docs/backbone.md").read_text()
    assert f"{results['threshold']:.1%}".replace("%", " %") in text
    for metrics in results["sets"].values():
        shares = (metrics[name] for name in ("accuracy", "answered", "right"))
        assert " | ".join(f"{100 * share:.1f}" for share in shares) in text


def answers_of(*photos: Path) -> list[str]:
    """Return the answers of the shipped model, by the command of a user."""
    command = ("-m", "fruits_pipeline.predict", "--model", phone_model.FILE)
    lines = run_python(*command, *photos).splitlines()
    assert len(lines) == len(photos)
    return [re.search(r": ([^:]+) \(", line)[1] for line in lines]  # type: ignore[index]


def test_rendered_photos_are_answered(tmp_path: Path, shipped: PhoneModel) -> None:
    files = render_sample(SampleParameters(frames_per_series=4, seed=360, size=40))
    labels = ("Kiwi", "Strawberry", "Pineapple")
    names = [f"Test/{label}/270_40.jpg" for label in labels]
    write_files(tmp_path, {name: files[name] for name in names})
    first, second, third = answers_of(*(tmp_path / name for name in names))
    assert (first, second) == ("Kiwi", "Strawberry")
    assert third in {*shipped.labels, UNKNOWN}


def test_most_answers_to_shop_photos_are_right(shared: Path) -> None:
    folders = sorted((shared / "grocery/val").iterdir())
    answers = answers_of(*(min(folder.rglob("*.jpg")) for folder in folders))
    pairs = [*zip(answers, (folder.name for folder in folders), strict=True)]
    right = sum(answer == label for answer, label in pairs)
    wrong = sum(answer not in (label, UNKNOWN) for answer, label in pairs)
    assert right >= len(pairs) / 2, pairs
    assert wrong <= len(pairs) / 4, pairs


def task(labels: tuple[str, ...], width: int, noise: float, seed: int) -> Task:
    """Return vectors of labels, each around another corner of a cube."""
    rng = np.random.default_rng(seed)
    names = np.array(sorted({"Apple", "Kiwi", "Pear", *labels}))
    numbers = rng.choice(np.flatnonzero(np.isin(names, labels)), 120)
    vectors = np.eye(len(names), width)[numbers] + rng.normal(0, noise, (120, width))
    rows = np.arange(120)
    vectors = vectors.astype(np.float32)
    photos = LabelledVectors(vectors, names[numbers], rows.astype(str))
    return Task(photos.where(rows < 80), photos.where(rows >= 80))


def test_build_is_reproducible_and_measures_each_set(backbone: Backbone) -> None:
    width = backbone.card.width
    tasks = {
        FRUITS: task(("Apple", "Kiwi"), width, 0.001, seed=1),
        GROCERY: task(("Kiwi", "Pear"), width, 0.001, seed=2),
    }
    model, measured = phone_model.build(tasks)
    assert model.labels == ("Apple", "Kiwi", "Pear")
    assert {*measured["sets"]} == {FRUITS, GROCERY}
    assert all(m["accuracy"] == m["right"] == 1 for m in measured["sets"].values())
    assert phone_model.build(tasks)[0].content == model.content
