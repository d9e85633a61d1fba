"""Build and measure the shipped phone model: `make phone-model`.

It is trained like the shipped backbone, on the training splits of Fruits-360 and of
Grocery, and calibrated with photos of another split, as `make classify` does: the backbone
was trained on the same photos, so a classifier is more confident on them than on new ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import numpy as np
import yaml

from benchmarks.processes import PROJECT
from fruits_pipeline.datasets import BackboneFolder, PhoneModelFile
from fruits_pipeline.models import pca
from fruits_pipeline.models.classifiers import (
    Classifier,
    LabelledVectors,
    fit_logistic_regression,
    sample_rows,
)
from fruits_pipeline.models.moments import moments_of
from fruits_pipeline.models.phone_models import PhoneCard, PhoneModel, fuse
from fruits_pipeline.models.temperature import calibrate
from protocols import data, protocols
from protocols.data import FIT, GROCERY, SHIPPED
from protocols.measures import RELATIVE_C, SEED, VARIANCE, Task, measure_answers
from protocols.options import shared_option, work_option

FILE = PROJECT / "data/06_models/default/phone_model.tflite"
RESULTS = PROJECT / "protocols/results/phone_model.json"
NEW_FILE = click.Path(dir_okay=False, resolve_path=True, path_type=Path)
PHOTOS_PER_LABEL = 200
"""Maximum training photos of a label in each set, so that studio photos do not dominate."""
CALIBRATED_WITH = GROCERY
"""Set whose test photos calibrate the classifier: they resemble the photos of a phone more
than studio photos do."""
RIGHT_OF_ANSWERED = 0.9
"""Expected share of right answers, from which the threshold follows. Fewer than in a run of
the pipeline, so that about half of the shop photos are answered."""

Tasks = Mapping[str, Task]
"""Training and test photos by set."""


@click.command()
@shared_option
@work_option
@click.option("--model", "file", type=NEW_FILE, default=FILE, help="File to write.")
@click.option("--results", type=NEW_FILE, default=RESULTS, help="File to write.")
def main(shared: Path, work: Path, file: Path, results: Path) -> None:
    """Build the shipped phone model from the photos in SHARED, and measure it."""
    photos = data.load_photos(shared, work)
    tasks = {}
    for name, of_set in photos.items():
        features, _ = data.embed(SHIPPED, [*of_set["image"]], FIT)
        tasks[name] = protocols.official_split(of_set, features)
    model, measured = build(tasks)
    PhoneModelFile(filepath=str(file)).save(model)
    found = {"made": datetime.now(UTC).isoformat(timespec="minutes"), **measured}
    results.write_text(json.dumps(found, indent=1) + "\n")
    click.echo(json.dumps(found, indent=1))


def build(tasks: Tasks) -> tuple[PhoneModel, dict[str, Any]]:
    """Build the phone model.

    Args:
        tasks: Features of the shipped backbone.

    Returns:
        The model, and its metrics by set: see `measures.measure_answers`.
    """
    backbone = BackboneFolder(filepath=str(SHIPPED)).load()
    training = _concatenate([task.train for task in tasks.values()])
    moments = moments_of(training.vectors)
    reduction = pca.fit(moments, VARIANCE, standardise=False, max_components=None)
    reduced = {
        name: task.transform(reduction.transform) for name, task in tasks.items()
    }
    classifier = fit_classifier(reduced)
    card = PhoneCard(
        input_size=backbone.card.input_size,
        fit=FIT,
        short_side=_read_short_side(),
        threshold=classifier.threshold,
        backbone=backbone.card.sha256,
        pca=reduction.digest,
    )
    measured = {
        "backbone": backbone.card.sha256,
        "threshold": round(classifier.threshold, 4),
        "sets": {
            name: measure_answers(
                classifier, task, RIGHT_OF_ANSWERED if name == CALIBRATED_WITH else None
            )
            for name, task in reduced.items()
        },
    }
    return fuse(backbone.model, reduction, classifier, card), measured


def fit_classifier(tasks: Tasks) -> Classifier:
    """Fit a logistic regression to the training photos of all sets, and calibrate it."""
    training = _concatenate([_sample(task.train) for task in tasks.values()])
    model = fit_logistic_regression(training, RELATIVE_C)
    return calibrate(model, tasks[CALIBRATED_WITH].test, RIGHT_OF_ANSWERED)


def _sample(photos: LabelledVectors) -> LabelledVectors:
    return photos.where(sample_rows(photos.labels, PHOTOS_PER_LABEL, SEED))


def _concatenate(parts: list[LabelledVectors]) -> LabelledVectors:
    columns = zip(*((p.vectors, p.labels, p.groups) for p in parts), strict=True)
    return LabelledVectors(*(np.concatenate(column) for column in columns))


def _read_short_side() -> int:
    file = PROJECT / "conf/base/parameters_preprocess.yml"
    return int(yaml.safe_load(file.read_text())["preprocess"]["short_side"])


if __name__ == "__main__":
    main()
