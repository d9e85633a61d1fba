"""Choose the threshold of "unknown": the smallest probability with an answer."""

from __future__ import annotations

import numpy as np


def separating_threshold(known: np.ndarray, unknown: np.ndarray) -> float:
    """Return the probability that best separates photos of learned and other labels.

    Args:
        known: Largest probability of each photo of a learned label.
        unknown: Largest probability of each photo of a label that was not learned.

    Returns:
        The threshold with the largest difference between the share of known photos and
        the share of unknown photos at or above it (Youden's J); the smallest threshold if
        there are several; 0 without unknown photos.
    """
    from sklearn.metrics import roc_curve

    if not len(unknown):
        return 0.0
    is_known = np.repeat([1, 0], [len(known), len(unknown)])
    confidences = np.concatenate([known, unknown])
    unknown_share, known_share, thresholds = roc_curve(is_known, confidences)
    difference = known_share - unknown_share
    return float(thresholds[difference == difference.max()].min())


def reliable_threshold(confidences: np.ndarray, right: float) -> float:
    """Return the smallest threshold at which enough answers are expected to be right.

    The expected share of right answers is the mean of their probabilities. It varies less
    from sample to sample than the observed share, if the probabilities are calibrated.

    Args:
        confidences: Largest calibrated probability of each photo, `[n]`.
        right: Smallest expected share of right answers, 0 to 1.

    Returns:
        One of the confidences; 1 if all of them are smaller than `right`.
    """
    descending = np.sort(confidences)[::-1]
    expected = np.cumsum(descending) / np.arange(1, len(descending) + 1)
    enough = descending[expected >= right]
    return float(enough.min()) if len(enough) else 1.0
