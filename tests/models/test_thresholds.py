import numpy as np
import pytest

from fruits_pipeline.models.thresholds import reliable_threshold, separating_threshold


def test_threshold_separates_known_from_unknown_photos() -> None:
    assert separating_threshold(np.array([0.9, 0.8, 0.7]), np.array([0.3, 0.6])) == 0.7


def test_threshold_weighs_known_against_unknown_photos() -> None:
    known = np.array([0.95] * 8 + [0.1, 0.2])
    unknown = np.array([0.15, 0.3, 0.4, 0.5, 0.97])
    assert separating_threshold(known, unknown) == 0.95


@pytest.mark.parametrize("unknown", [[], [0.9, 0.9]])
def test_everything_is_answered_if_no_threshold_helps(unknown: list[float]) -> None:
    known = np.array([0.4, 0.8])
    assert separating_threshold(known, np.array(unknown)) <= known.min()


@pytest.mark.parametrize(("right", "expected"), [(0.9, 0.8), (0.84, 0.7), (0.5, 0.1)])
def test_expected_share_of_right_answers_is_reached(
    right: float, expected: float
) -> None:
    # The means of the largest are 1, 0.95, 0.9, 0.85, 0.74 and 0.63.
    confidences = np.array([0.8, 1.0, 0.1, 0.7, 0.9, 0.3])
    assert reliable_threshold(confidences, right) == expected


def test_nothing_is_answered_if_no_answer_is_reliable() -> None:
    assert reliable_threshold(np.array([0.4, 0.8]), 0.9) == 1
