import numpy as np
import pandas as pd
import pytest

from fruits_pipeline.models.classifiers import UNKNOWN, Classifier
from fruits_pipeline.models.metrics import answers_to, evaluate

MODEL = Classifier(("a", "b", "c"), np.zeros((1, 3)), np.zeros(3), threshold=0.5)
ASKED = {
    # path: label, probabilities
    "right": ("a", (0.8, 0.1, 0.1)),
    "unsure": ("a", (0.4, 0.3, 0.3)),
    "wrong": ("b", (0.9, 0.06, 0.04)),
    "less wrong": ("b", (0.2, 0.2, 0.6)),
    "never learned": ("fig", (0.3, 0.3, 0.4)),
    "taken for another": ("fig", (0.1, 0.2, 0.7)),
}


@pytest.fixture
def answers() -> pd.DataFrame:
    labels = [label for label, _ in ASKED.values()]
    learned = [path == "right" for path in ASKED]
    photos = pd.DataFrame({"path": [*ASKED], "label": labels, "film_learned": learned})
    probabilities = np.array([found for _, found in ASKED.values()])
    return answers_to(photos, probabilities, MODEL)


def test_every_photo_has_an_answer(answers: pd.DataFrame) -> None:
    found = answers.set_index("path")["answer"].to_dict()
    assert found == {
        "right": "a",
        "unsure": UNKNOWN,
        "wrong": "a",
        "less wrong": "c",
        "never learned": UNKNOWN,
        "taken for another": "c",
    }


def test_unknown_is_right_for_what_was_never_learned(answers: pd.DataFrame) -> None:
    assert {*answers["path"][answers["right"]]} == {"right", "never learned"}


def test_the_surest_wrong_names_come_first(answers: pd.DataFrame) -> None:
    assert [*answers["path"][:3]] == ["wrong", "taken for another", "less wrong"]


def test_ranks_and_probabilities_are_of_the_photos_own_label(
    answers: pd.DataFrame,
) -> None:
    by_path = answers.set_index("path")
    assert by_path.loc["wrong", "rank"] == 2
    assert by_path.loc["wrong", "probability_of_label"] == 0.06
    assert by_path.loc["less wrong", "rank"] == 2
    assert by_path.loc["never learned", ["rank", "probability_of_label"]].isna().all()


def test_numbers_are_those_counted_by_hand(answers: pd.DataFrame) -> None:
    found = evaluate(answers, MODEL)
    by_label = found.pop("by_label")
    assert found == {
        "labels": 3,
        "photos": 6,
        "photos_of_learned_films": 1,
        "accuracy": 0.5,
        "top_5": 1.0,
        "log_loss": round(-np.log([0.8, 0.4, 0.06, 0.2]).mean(), 4),
        # bins of 1/15: 0.8 right, 0.4 right, 0.9 wrong, 0.6 wrong, each by itself
        "calibration_error": round((0.2 + 0.6 + 0.9 + 0.6) / 4, 4),
        "threshold": 0.5,
        "answered": 0.75,
        "right_of_answered": round(1 / 3, 4),
        "unknown_photos": 2,
        "unknown_refused": 0.5,
    }
    assert by_label["a"] == {"photos": 2, "recall": 1.0, "precision": round(2 / 3, 4)}
    assert by_label["b"] == {"photos": 2, "recall": 0.0, "precision": None}


def test_what_nobody_asked_is_null(answers: pd.DataFrame) -> None:
    strangers = answers[answers["label"] == "fig"]
    found = evaluate(strangers, MODEL)
    assert (found["accuracy"], found["log_loss"]) == (None, None)
    assert found["calibration_error"] is None
    assert found["unknown_refused"] == 0.5
