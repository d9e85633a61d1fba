"""Order the labels of a confusion matrix, so that confused labels are next to each other."""

from __future__ import annotations

import numpy as np
import pandas as pd


def most_confused(
    answers: pd.DataFrame, count: int
) -> tuple[np.ndarray, list[str], int]:
    """Count the most probable labels by label, for the labels with most confusions.

    Args:
        answers: `label` and `named` (the most probable label) of each photo.
        count: Maximum number of labels.

    Returns:
        Counts, `int64 [n, n + 1]`, whose last column is of all other labels, and missing
        if there are none; the labels,
        with confused ones next to each other; and the number of other labels.
    """
    labels = sorted({*answers["label"], *answers["named"]})
    chosen = _worst(answers, labels, count)
    rows = answers[answers["label"].isin(chosen)]
    table = pd.crosstab(rows["label"], rows["named"])
    square = table.reindex(index=chosen, columns=chosen, fill_value=0).to_numpy()
    totals = table.sum(axis=1).reindex(chosen, fill_value=0).to_numpy()
    order = similar_order(square)
    shown = square[np.ix_(order, order)]
    left_out = len(labels) - len(chosen)
    if left_out:
        shown = np.column_stack([shown, totals[order] - shown.sum(axis=1)])
    return shown, [chosen[i] for i in order], left_out


def _worst(answers: pd.DataFrame, labels: list[str], count: int) -> list[str]:
    """Return the labels with most confusions, in their order."""
    wrong = answers[answers["label"] != answers["named"]]
    confusions = pd.concat([wrong["label"], wrong["named"]]).value_counts()
    numbers = confusions.reindex(labels, fill_value=0)
    return sorted(numbers.sort_values(ascending=False, kind="stable").index[:count])


def similar_order(counts: np.ndarray) -> np.ndarray:
    """Return the order of labels in which those that are confused are neighbours.

    Args:
        counts: Photos of each label by answer, `[n, n]`.
    """
    # Imported here because most commands draw no confusion matrix.
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    if len(counts) <= 2:  # noqa: PLR2004 - nothing to order
        return np.arange(len(counts))
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    confusion = (shares + shares.T) / 2
    distances = 1 - np.clip(confusion, 0, 1)
    np.fill_diagonal(distances, 0)
    tree = linkage(
        squareform(distances, checks=False), "average", optimal_ordering=True
    )
    order: np.ndarray = leaves_list(tree)
    return order
