"""Choose the photos that `report.html` shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from fruits_pipeline.models.suspects import SHOWN

PER_GROUP = 3
"""Number of examples of a group before examples of other groups are preferred."""


def first_rows(rows: pd.DataFrame, count: int, by: Sequence[str]) -> pd.DataFrame:
    """Return up to `count` of the first rows, in their order, but of different groups.

    Args:
        rows: Rows, the most important first.
        count: Maximum number of rows.
        by: Columns of a group, such as the label.
    """
    rank = rows.groupby([*by], dropna=False).cumcount() // PER_GROUP
    return rows.loc[rank.sort_values(kind="stable").index[:count].sort_values()]


def example_pairs(near_duplicates: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the pairs that the page shows: pairs across splits, then the others."""
    order = ~near_duplicates["across_splits"].astype(bool)
    rows = near_duplicates.loc[order.sort_values(kind="stable").index]
    return first_rows(rows.reset_index(drop=True), count, ["label", "other_label"])


def example_suspects(suspect_labels: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the suspect labels that the page shows."""
    return first_rows(suspect_labels, count, ["label", "suggested_label"])


def example_outliers(outliers: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the outliers that the page shows."""
    return first_rows(outliers, count, ["label"])


def example_issues(quality_issues: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the quality issues that the page shows, up to `count` of each issue."""
    return quality_issues.groupby("issue", sort=False).head(count)


def example_answers(answers: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the wrong answers or refusals that the page shows."""
    return first_rows(answers, count, ["label", "named"])


def shown_paths(tables: Mapping[str, pd.DataFrame], count: int) -> set[str]:
    """Return the paths of all photos that the page shows.

    Args:
        tables: The reports `near_duplicates`, `suspect_labels`, `outliers`,
            `quality_issues` and `atlas`; all photos of `atlas` are shown.
        count: Maximum number of examples of each kind.
    """
    neighbours = [f"neighbour_{j}" for j in range(1, SHOWN + 1)]
    shown = [
        example_pairs(tables["near_duplicates"], count)[["path", "other_path"]],
        example_suspects(tables["suspect_labels"], count)[["path", *neighbours]],
        example_outliers(tables["outliers"], count)[["path"]],
        example_issues(tables["quality_issues"], count)[["path"]],
        tables["atlas"][["path"]],
    ]
    return {path for table in shown for path in table.to_numpy().ravel()}
