import numpy as np
import pandas as pd
import pytest

from fruits_pipeline.models.classifiers import Classifier
from fruits_pipeline.models.metrics import (
    add_answers,
    calibration_curve,
    coverage_curve,
    evaluate,
    mistakes,
)

MODEL = Classifier(("a", "b", "c"), np.zeros((1, 3)), np.zeros(3), threshold=0.5)
PHOTOS = {
    # path: label, probabilities
    "correct": ("a", (0.8, 0.1, 0.1)),
    "below threshold": ("a", (0.4, 0.3, 0.3)),
    "wrong": ("b", (0.9, 0.06, 0.04)),
    "wrong, less confident": ("b", (0.2, 0.2, 0.6)),
    "not learned, unknown": ("fig", (0.3, 0.3, 0.4)),
    "not learned, answered": ("fig", (0.1, 0.2, 0.7)),
}


@pytest.fixture
def answers() -> pd.DataFrame:
    labels = [label for label, _ in PHOTOS.values()]
    learned = [path == "correct" for path in PHOTOS]
    photos = pd.DataFrame(
        {"path": [*PHOTOS], "label": labels, "series_learned": learned}
    )
    probabilities = np.array([row for _, row in PHOTOS.values()])
    return add_answers(photos, probabilities, MODEL)


def test_each_photo_has_an_answer(answers: pd.DataFrame) -> None:
    assert answers.set_index("path")["answer"].to_dict() == {
        "correct": "a",
        "below threshold": None,
        "wrong": "a",
        "wrong, less confident": "c",
        "not learned, unknown": None,
        "not learned, answered": "c",
    }


def test_photos_can_have_thresholds_of_their_own() -> None:
    photos = pd.DataFrame({"path": ["a", "b"], "label": ["a", "a"]})
    probabilities = np.array([[0.8, 0.1, 0.1], [0.8, 0.1, 0.1]])
    answers = add_answers(photos, probabilities, MODEL, np.array([0.7, 0.9]))
    assert answers.set_index("path")["answer"].to_dict() == {"a": "a", "b": None}


def test_unknown_is_right_for_labels_not_learned(answers: pd.DataFrame) -> None:
    right = answers["path"][answers["right"]]
    assert {*right} == {"correct", "not learned, unknown"}


def test_confident_mistakes_come_first(answers: pd.DataFrame) -> None:
    assert [*answers["path"][:3]] == [
        "wrong",
        "not learned, answered",
        "wrong, less confident",
    ]


def test_rank_and_probability_are_of_the_true_label(answers: pd.DataFrame) -> None:
    by_path = answers.set_index("path")
    assert by_path.loc["wrong", "rank"] == 2
    assert by_path.loc["wrong", "probability_of_label"] == 0.06
    assert by_path.loc["wrong, less confident", "rank"] == 2
    not_learned = by_path.loc["not learned, unknown", ["rank", "probability_of_label"]]
    assert not_learned.isna().all()


def test_label_unknown_is_not_the_absence_of_an_answer() -> None:
    model = Classifier(("nan", "unknown"), np.zeros((1, 2)), np.zeros(2), threshold=0.6)
    rows = {"label": ["unknown", "unknown", "fig", "nan"], "series_learned": False}
    photos = pd.DataFrame(rows | {"path": ["1", "2", "3", "4"]})
    probabilities = np.array([[0.1, 0.9], [0.5, 0.5], [0.2, 0.8], [0.7, 0.3]])
    answers = add_answers(photos, probabilities, model).sort_values("path")
    assert [*answers["answer"]] == ["unknown", None, "unknown", "nan"]
    assert [*answers["right"]] == [True, False, False, True]
    found = evaluate(answers, model)
    assert (found["answered"], found["unknown_refused"]) == (round(2 / 3, 4), 0)
    assert (found["by_label"]["nan"]["photos"], found["right_of_answered"]) == (1, 1)


def test_metrics_equal_hand_computed_values(answers: pd.DataFrame) -> None:
    found = evaluate(answers, MODEL)
    by_label = found.pop("by_label")
    assert found == {
        "labels": 3,
        "photos": 6,
        "photos_of_learned_series": 1,
        "accuracy": 0.5,
        "top_5": 1.0,
        "log_loss": round(-np.log([0.8, 0.4, 0.06, 0.2]).mean(), 4),
        # Each probability is in its own bin: 0.8 and 0.4 correct, 0.9 and 0.6 wrong.
        "calibration_error": round((0.2 + 0.6 + 0.9 + 0.6) / 4, 4),
        "threshold": 0.5,
        "answered": 0.75,
        "right_of_answered": round(1 / 3, 4),
        "unknown_photos": 2,
        "unknown_refused": 0.5,
    }
    assert by_label["a"] == {"photos": 2, "recall": 1.0, "precision": round(2 / 3, 4)}
    assert by_label["b"] == {"photos": 2, "recall": 0.0, "precision": None}


def test_metrics_without_photos_of_known_labels_are_none(answers: pd.DataFrame) -> None:
    found = evaluate(answers[answers["label"] == "fig"], MODEL)
    assert (found["accuracy"], found["log_loss"]) == (None, None)
    assert found["calibration_error"] is None
    assert found["unknown_refused"] == 0.5


def test_calibration_curve_has_the_mean_of_each_bin(answers: pd.DataFrame) -> None:
    known = answers[answers["rank"].notna()]
    curve = calibration_curve(known)
    assert curve["photos"].sum() == len(known)
    assert [*curve["accuracy"]] == [1, 0, 1, 0]
    np.testing.assert_allclose(curve["probability"], [0.4, 0.6, 0.8, 0.9])


def test_coverage_falls_with_the_threshold(answers: pd.DataFrame) -> None:
    curve = coverage_curve(answers[answers["rank"].notna()], points=3)
    assert [*curve["threshold"]] == [0, 0.5, 1]
    assert [*curve["answered"]] == [1, 0.75, 0]
    np.testing.assert_allclose(curve["accuracy"], [0.5, 1 / 3, np.nan])


def test_wrong_answers_and_refusals_are_separate(answers: pd.DataFrame) -> None:
    wrong, refused = mistakes(answers)
    assert [*wrong["path"]] == [
        "wrong",
        "not learned, answered",
        "wrong, less confident",
    ]
    assert [*refused["path"]] == ["below threshold"]
