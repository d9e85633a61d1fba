"""Answers of a classifier, and metrics computed from them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from fruits_pipeline.models.classifiers import Classifier

CALIBRATION_BINS = 15
"""Bins of equal width between the probabilities 0 and 1."""


def add_answers(
    photos: pd.DataFrame,
    probabilities: np.ndarray,
    classifier: Classifier,
    thresholds: np.ndarray | None = None,
) -> pd.DataFrame:
    """Add the answers of a classifier to a table of photos.

    Args:
        photos: `path`, `label`, and any other columns.
        probabilities: Probabilities of each photo, `[n, labels]`.
        classifier: Classifier that returned the probabilities.
        thresholds: Threshold of each photo, `[n]`; None for that of the classifier.

    Returns:
        The photos with these columns, confident mistakes first:

        - `answer`: the most probable label, or None below the threshold.
        - `named`: the most probable label.
        - `probability`: probability of `named`.
        - `probability_of_label`: probability of `label`; NaN if it was not learned.
        - `rank`: rank of `label` by probability, from 1; NaN if it was not learned.
        - `right`: whether `answer` is `label`, or is None for a label that was not
          learned.
    """
    columns = pd.Index(classifier.labels).get_indexer(pd.Index(photos["label"]))
    learned = columns >= 0
    own = np.where(learned, probabilities[np.arange(len(columns)), columns], np.nan)
    higher = (probabilities > own[:, np.newaxis]).sum(axis=1)
    answers = photos.assign(
        answer=classifier.predict_answers(probabilities, thresholds),
        named=classifier.predict_labels(probabilities),
        probability=probabilities.max(axis=1),
        probability_of_label=own,
        rank=np.where(learned, 1 + higher, np.nan),
    )
    unknown = answers["answer"].isna()
    answers["right"] = np.where(learned, answers["answer"] == answers["label"], unknown)
    answers["mistake"] = ~answers["right"] & ~unknown
    answers = answers.sort_values(
        ["mistake", "probability", "path"], ascending=[False, False, True]
    )
    return answers.drop(columns="mistake").reset_index(drop=True)


def evaluate(answers: pd.DataFrame, classifier: Classifier) -> dict[str, Any]:
    """Return metrics of a classifier.

    Args:
        answers: Result of `add_answers`, with the Boolean column `series_learned`: whether
            the classifier was trained on photos of the same series.
        classifier: The classifier.

    Returns:
        Counts of photos, and shares between 0 and 1; None if a share is of no photos.

        - `accuracy` and `top_5` ignore the threshold.
        - `log_loss`: mean negative log-probability of the label, in nats.
        - `calibration_error`: mean difference of probability and accuracy over 15 bins,
          weighted by photos (Naeini et al., 2015, "Obtaining well calibrated
          probabilities using Bayesian binning").
        - `answered`: share of photos at or above the threshold, and
          `right_of_answered`: the accuracy of their answers.
        - `unknown_photos`: photos of labels that were not learned; they are excluded
          from all metrics above. `unknown_refused`: share of them below the threshold.
        - `by_label`: photos, recall and precision of each label, without the threshold.
    """
    known = answers[answers["rank"].notna()]
    unknown = answers[answers["rank"].isna()]
    answered = known[known["answer"].notna()]
    return {
        "labels": len(classifier.labels),
        "photos": len(answers),
        "photos_of_learned_series": int(answers["series_learned"].sum()),
        "accuracy": _share(known["rank"] == 1),
        "top_5": _share(known["rank"] <= 5),  # noqa: PLR2004 - part of the name
        "log_loss": _log_loss(known["probability_of_label"]),
        "calibration_error": _calibration_error(known),
        "threshold": round(classifier.threshold, 4),
        "answered": _share(known["answer"].notna()),
        "right_of_answered": _share(answered["rank"] == 1),
        "unknown_photos": len(unknown),
        "unknown_refused": _share(unknown["answer"].isna()),
        "by_label": {name: _label_metrics(known, name) for name in classifier.labels},
    }


def calibration_curve(known: pd.DataFrame) -> pd.DataFrame:
    """Compare probabilities with the accuracy, in bins of equal width.

    Args:
        known: Answers to photos of learned labels.

    Returns:
        `photos`, mean `probability` and `accuracy` of each bin with photos.
    """
    groups = known.assign(hit=known["rank"] == 1).groupby(_bins(known["probability"]))
    return groups.agg(
        photos=("hit", "size"),
        probability=("probability", "mean"),
        accuracy=("hit", "mean"),
    ).reset_index(drop=True)


def coverage_curve(known: pd.DataFrame, points: int = 101) -> pd.DataFrame:
    """Return the share of photos with an answer, and its accuracy, by threshold.

    Args:
        known: Answers to photos of learned labels.
        points: Number of thresholds.

    Returns:
        `threshold`, `answered` and `accuracy` (NaN without answers).
    """
    order = np.argsort(known["probability"].to_numpy())
    probabilities = known["probability"].to_numpy()[order]
    hits = (known["rank"].to_numpy() == 1)[order]
    thresholds = np.linspace(0, 1, points)
    below = np.searchsorted(probabilities, thresholds)
    answered = len(known) - below
    correct = hits.sum() - np.concatenate([[0], np.cumsum(hits)])[below]
    with np.errstate(invalid="ignore"):
        accuracy = correct / np.where(answered, answered, np.nan)
    shares = answered / max(1, len(known))
    return pd.DataFrame(
        {"threshold": thresholds, "answered": shares, "accuracy": accuracy}
    )


def mistakes(answers: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return wrong answers, and refusals of photos of learned labels.

    Both are sorted by descending probability.
    """
    wrong = answers[~answers["right"] & answers["answer"].notna()]
    refused = answers[answers["rank"].notna() & answers["answer"].isna()]
    return wrong, refused


def _share(hits: pd.Series) -> float | None:
    return round(float(hits.mean()), 4) if len(hits) else None


def _log_loss(probabilities: pd.Series) -> float | None:
    if probabilities.empty:
        return None
    positive = probabilities.clip(lower=np.finfo(np.float64).tiny)
    return round(float(-np.log(positive).mean()), 4)


def _calibration_error(known: pd.DataFrame) -> float | None:
    if known.empty:
        return None
    gap = (known["rank"] == 1).astype(float) - known["probability"]
    sums = gap.groupby(_bins(known["probability"])).sum()
    return round(float(sums.abs().sum() / len(known)), 4)


def _bins(probabilities: pd.Series) -> pd.Series:
    bins = (probabilities * CALIBRATION_BINS).astype(int)
    return bins.clip(upper=CALIBRATION_BINS - 1)


def _label_metrics(known: pd.DataFrame, label: str) -> dict[str, int | float | None]:
    """Return the number of photos, recall and precision of one label."""
    own = known[known["label"] == label]
    named = known[known["named"] == label]
    return {
        "photos": len(own),
        "recall": _share(own["rank"] == 1),
        "precision": _share(named["label"] == label),
    }
