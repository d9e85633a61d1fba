"""How good the answers of a classifier are, in numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from fruits_pipeline.models.classifiers import UNKNOWN, Classifier

BINS = 15
"""Of probability, over which calibration is measured."""


def answers_to(
    photos: pd.DataFrame, probabilities: np.ndarray, classifier: Classifier
) -> pd.DataFrame:
    """Add to photos what a classifier says of them.

    Args:
        photos: `label` and anything else.
        probabilities: Of each, `[n, labels]`.
        classifier: Whose they are.

    Returns:
        The photos with `answer`, `named` (the most probable label, even where the
        answer is unknown) and its `probability`, `probability_of_label` and the `rank`
        of the label (1 is the most probable), both missing where it was never learned,
        and whether the answer is `right`: the label, or unknown where it was never
        learned. Wrong names come first, the surest of them at the top.
    """
    columns = pd.Index(classifier.labels).get_indexer(pd.Index(photos["label"]))
    learned = columns >= 0
    own = np.where(learned, probabilities[np.arange(len(columns)), columns], np.nan)
    found = photos.assign(
        answer=classifier.answers(probabilities),
        named=classifier.named(probabilities),
        probability=probabilities.max(axis=1),
        probability_of_label=own,
        rank=np.where(learned, 1 + (probabilities > own[:, None]).sum(axis=1), np.nan),
    )
    unknown = found["answer"] == UNKNOWN
    found["right"] = np.where(learned, found["answer"] == found["label"], unknown)
    order = found.assign(wrong=~found["right"] & ~unknown).sort_values(
        ["wrong", "probability", "path"], ascending=[False, False, True]
    )
    return order.drop(columns="wrong").reset_index(drop=True)


def evaluate(answers: pd.DataFrame, classifier: Classifier) -> dict[str, Any]:
    """Say how good answers are.

    Args:
        answers: Of `answers_to`.
        classifier: Whose they are.

    Returns:
        Numbers of photos and shares between 0 and 1. `accuracy` and `top_5` are of the
        most probable labels, whatever the answer; `unknown_photos` are of labels that
        were not learned, and in no other number. `log_loss` is in nats;
        `calibration_error` is the mean distance of probability and accuracy over 15
        bins (Naeini et al., 2015, "Obtaining well calibrated probabilities").
    """
    known = answers[answers["rank"].notna()]
    unknown = answers[answers["rank"].isna()]
    answered = known[known["answer"] != UNKNOWN]
    return {
        "labels": len(classifier.labels),
        "photos": len(answers),
        "photos_of_learned_films": int(answers["film_learned"].sum()),
        "accuracy": _share(known["rank"] == 1),
        "top_5": _share(known["rank"] <= 5),  # noqa: PLR2004 - as its name says
        "log_loss": _log_loss(known["probability_of_label"]),
        "calibration_error": _calibration_error(known),
        "threshold": round(classifier.threshold, 4),
        "answered": _share(known["answer"] != UNKNOWN),
        "right_of_answered": _share(answered["rank"] == 1),
        "unknown_photos": len(unknown),
        "unknown_refused": _share(unknown["answer"] == UNKNOWN),
        "by_label": _by_label(known, classifier),
    }


def _share(hits: pd.Series) -> float | None:
    return round(float(hits.mean()), 4) if len(hits) else None


def _log_loss(own: pd.Series) -> float | None:
    if own.empty:
        return None
    least = np.finfo(np.float64).tiny
    return round(float(-np.log(own.clip(lower=least)).mean()), 4)


def _calibration_error(known: pd.DataFrame) -> float | None:
    if known.empty:
        return None
    bins = np.minimum((known["probability"] * BINS).astype(int), BINS - 1)
    gap = (known["rank"] == 1).astype(float) - known["probability"]
    sums = gap.groupby(bins).sum().abs()
    return round(float(sums.sum() / len(known)), 4)


def _by_label(known: pd.DataFrame, classifier: Classifier) -> dict[str, Any]:
    """Return photos, recall and precision of every label that was learned."""
    found = {}
    for label in classifier.labels:
        own = known[known["label"] == label]
        named = known[known["named"] == label]
        found[label] = {
            "photos": len(own),
            "recall": _share(own["rank"] == 1),
            "precision": _share(named["label"] == label),
        }
    return found
