"""The sections of the classifier: metrics, wrong answers and refusals."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd

from fruits_pipeline.models import metrics
from fruits_pipeline.reporting.confusability import most_confused
from fruits_pipeline.reporting.examples import example_answers
from fruits_pipeline.reporting.page import classifier_figures
from fruits_pipeline.reporting.page.coverage import MAX_BARS
from fruits_pipeline.reporting.page.results import Results
from fruits_pipeline.reporting.page.section import Section, card
from fruits_pipeline.reporting.page.text import have, percent, photos
from fruits_pipeline.reporting.theme import count_text

MISSING = "There is no classifier yet; `make classify`, with the ARGS of this run, trains one."
OLD = (
    "The answers are of an older version; `make classify`, with the ARGS of this run, "
    "writes them again."
)
OUTDATED = (
    "The classifier is older than the vectors; `make classify`, with the ARGS of this "
    "run, trains it again."
)
_LABELS = 30
"""Labels in the confusion matrix."""


def classifier(results: Results) -> Section:
    """Return accuracy, calibration, coverage, confusion and recall."""
    section = partial(Section, "classifier", "Classifier")
    if not results.has("evaluation", "answers"):
        return section([OLD if "evaluation" in results.values else MISSING])
    answers, evaluation = results["answers"], results["evaluation"]
    known = answers[answers["rank"].notna()]
    if known.empty:
        return section(["No test photo has a label that the classifier has learned."])
    threshold = evaluation["threshold"]
    matrix, labels, left_out = most_confused(known, _LABELS)
    content = {
        "recalls": _recalls(evaluation),
        "left_out": left_out,
        "width": 180 + 28 * len(labels),
    }
    drawn = {
        "calibration-figure": classifier_figures.calibration(
            metrics.calibration_curve(known)
        ),
        "threshold-figure": classifier_figures.coverage(
            metrics.coverage_curve(known), threshold
        ),
        "confusion-figure": classifier_figures.confusion(matrix, labels),
    }
    text, alerts = _text(evaluation, len(known)), _alerts(evaluation)
    if results.outdated:
        text, alerts = [OUTDATED, *text], [OUTDATED, *alerts]
    return section(text, alerts, content, drawn)


def _text(evaluation: dict[str, Any], known: int) -> list[str]:
    text = [
        f"On {photos(known)} for testing, the most probable label is correct for "
        f"{percent(evaluation['accuracy'], 1)}. {_describe_threshold(evaluation)}",
        "Points below the diagonal are probabilities that are too high; their mean "
        f"error is {percent(evaluation['calibration_error'], 1)}.",
    ]
    if calibrating := evaluation.get("calibration_photos"):
        text.append(
            f"{photos(calibrating)} of these also determined the probabilities and the "
            "threshold, so they are not unused; each was answered with values that were "
            "estimated with others of them (cross-fitting)."
        )
    if sample := evaluation.get("sample"):
        text.append(
            f"The photos are from a sample of about {sample['photos']:,} of "
            f"{photos(sample['of'])}, with photos of every label."
        )
    learned = evaluation.get("photos_of_learned_series", 0)
    if learned:
        text.append(
            f"{photos(learned)} are frames of series that the classifier was trained on, "
            "so the accuracy on new fruit is lower."
        )
    return text


def _describe_threshold(evaluation: dict[str, Any]) -> str:
    if not evaluation["threshold"]:
        return (
            "Every photo is answered, because there are too few labels or photos to "
            "choose a threshold of “unknown”."
        )
    return (
        f"Below a probability of {percent(evaluation['threshold'], 1)} the answer is "
        f"“unknown”: {percent(evaluation['answered'], 1)} are answered, and "
        f"{percent(evaluation['right_of_answered'], 1)} of these answers are correct."
    )


def _alerts(evaluation: dict[str, Any]) -> list[str]:
    by_label = evaluation["by_label"]
    untested = sum(not label["photos"] for label in by_label.values())
    alerts = []
    if untested:
        alerts.append(
            f"{untested:,} of {count_text(len(by_label), 'learned label')} {have(untested)} "
            "no photo for testing; the accuracy says nothing about them."
        )
    weak = [
        name
        for name, label in by_label.items()
        if label["recall"] is not None and label["recall"] < 0.5  # noqa: PLR2004 - half
    ]
    if weak:
        verb = "label is" if len(weak) == 1 else "labels are"
        alerts.append(
            f"{len(weak):,} {verb} recognised in fewer than half of the photos."
        )
    return alerts


def _recalls(evaluation: dict[str, Any]) -> list[dict[str, Any]]:
    rows = [
        {
            "label": label,
            "width": round(100 * row["recall"], 1),
            "recall": percent(row["recall"]),
            "precision": percent(row["precision"]),
            "photos": row["photos"],
        }
        for label, row in evaluation["by_label"].items()
        if row["recall"] is not None
    ]
    return sorted(rows, key=lambda row: (row["width"], row["label"]))[:MAX_BARS]


def wrong_answers(results: Results) -> Section:
    """Return the incorrect answers, the most probable first."""
    section = partial(Section, "wrong", "Wrong answers")
    if not results.has("evaluation", "answers"):
        return section([MISSING])
    wrong, _ = metrics.mistakes(results["answers"])
    answered = int(results["answers"]["answer"].notna().sum())
    if wrong.empty:
        return section([f"None of {count_text(answered, 'answer')} is wrong."])
    text = [
        f"{len(wrong):,} of {answered:,} answers are wrong. Each is shown with the most "
        "similar training photo: if that one looks the same, a label is probably wrong."
    ]
    return section(text, (), {"rows": _rows(results, wrong)})


def refusals(results: Results) -> Section:
    """Return the photos whose answer is unknown, the most probable first."""
    section = partial(Section, "refusals", "Refusals")
    if not results.has("evaluation", "answers"):
        return section([MISSING])
    _, refused = metrics.mistakes(results["answers"])
    if refused.empty:
        return section(["No photo of a learned label was answered with “unknown”."])
    correct = int((refused["rank"] == 1).sum())
    text = [
        f"{photos(len(refused))} of learned labels got the answer “unknown”. The most "
        f"probable label of {correct:,} of them was correct: a lower threshold would "
        "answer these, and more of the others wrongly."
    ]
    return section(text, (), {"rows": _rows(results, refused)})


def _rows(results: Results, answers: pd.DataFrame) -> list[dict[str, Any]]:
    has_picture = answers["path"].isin(results.thumbnails.keys())
    shown = example_answers(answers[has_picture], results.shown)
    return [
        {
            "card": card(results, row["path"], row["label"]),
            "named": row["named"],
            "probability": percent(row["probability"], 1),
            "correct": row["rank"] == 1,
            "nearest": card(
                results,
                row["nearest_path"],
                row["nearest_label"],
                "nearest in training",
            ),
        }
        for _, row in shown.iterrows()
    ]
