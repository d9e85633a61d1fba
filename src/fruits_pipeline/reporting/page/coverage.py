"""The section of coverage, and of the newest batch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

import pandas as pd

from fruits_pipeline.models.classifiers import distinct_text
from fruits_pipeline.reporting.page.results import Results
from fruits_pipeline.reporting.page.section import Section, label_text
from fruits_pipeline.reporting.page.text import percent, photos
from fruits_pipeline.reporting.theme import NO_LABEL, count_text

MIN_PHOTOS = 20
"""Labels with fewer photos are marked."""

MAX_BARS = 300
"""Maximum number of labels with a bar; all are counted."""

_SHOWN_LABELS = 12
_WARNINGS = f"fewer than {MIN_PHOTOS} photos, one series only, or none for testing"
_NO_SPLIT = "no split"


def coverage(results: Results) -> Section:
    """Return the photos of each label by split, warnings, and the newest batch."""
    section = partial(Section, "coverage", "Coverage")
    if not results.has("coverage"):
        return section(["Photos are not counted yet; the next `kedro run` does."])
    rows = results["coverage"]
    no_label = distinct_text(NO_LABEL, rows["label"].dropna())
    rows = rows.assign(
        label=rows["label"].fillna(no_label), split=rows["split"].fillna(_NO_SPLIT)
    )
    is_test = _is_test(rows["split"], results.training_splits)
    labels, splits = _labels(rows, is_test, no_label), _splits(rows, is_test)
    count = len(labels) - (no_label in labels.index)
    warned = sum(map(bool, labels["warnings"]))
    bars = _bars(rows, labels, splits)
    total, unlabelled = int(rows["photos"].sum()), _count(labels, no_label)
    alerts = [f"{count_text(warned, 'label')} with poor coverage."] if warned else []
    if count and unlabelled:
        alerts.append(f"{photos(unlabelled)} without a label.")
    elif unlabelled:
        alerts.append("No photo has a label; ingest.path_rules find them in the paths.")
    text = [f"{photos(total)} of {count_text(count, 'label')}{_place(splits)}."]
    if warned:
        text.append(f"{count_text(warned, 'label')} with a warning: {_WARNINGS}.")
    elif count:
        text.append(f"No label has {_WARNINGS}.")
    batch = _batch(results["batch_changes"]) if results.has("batch_changes") else None
    content = {
        "bars": bars,
        "left_out": len(labels) - len(bars),
        "splits": splits,
        "batch": batch,
    }
    return section(text, alerts, content)


def _place(splits: list[dict[str, Any]]) -> str:
    if [split["name"] for split in splits] == [_NO_SPLIT]:
        return ", without splits"
    return f" in {count_text(len(splits), 'split')}"


def _count(labels: pd.DataFrame, label: str) -> int:
    return int(labels["photos"].get(label, 0))


def _is_test(splits: pd.Series, training: Collection[str]) -> pd.Series:
    return ~splits.str.lower().isin([name.lower() for name in training])


def _splits(rows: pd.DataFrame, is_test: pd.Series) -> list[dict[str, Any]]:
    """Return the splits, those of training photos first, with the tint of their bars."""
    table = pd.DataFrame({"split": rows["split"], "test": is_test}).drop_duplicates()
    names = table.sort_values(["test", "split"])["split"]
    return [{"name": name, "tint": min(i, 3)} for i, name in enumerate(names)]


def _labels(rows: pd.DataFrame, is_test: pd.Series, no_label: str) -> pd.DataFrame:
    """Return counts and warnings of each label, those with warnings first."""
    table = rows.assign(test=is_test, in_series=rows["series"].notna())
    labels = table.groupby("label").agg(
        photos=("photos", "sum"),
        series=("series", "nunique"),
        in_series=("in_series", "all"),
        test=("test", "any"),
    )
    has_splits = bool(is_test.any() and not is_test.all())
    warnings = {
        f"fewer than {MIN_PHOTOS} photos": labels["photos"] < MIN_PHOTOS,
        "one series only": labels["in_series"] & (labels["series"] == 1),
        "none for testing": has_splits & ~labels["test"],
    }
    names = [
        [text for text, applies in zip(warnings, row, strict=True) if applies]
        if label != no_label
        else []
        for label, *row in zip(labels.index, *warnings.values(), strict=True)
    ]
    labels = labels.assign(
        warnings=pd.Series(names, index=labels.index, dtype=object),
        warned=[not found for found in names],
    )
    return labels.sort_values(["warned", "photos"], ascending=[True, False])


def _bars(
    rows: pd.DataFrame, labels: pd.DataFrame, splits: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    largest = int(labels["photos"].max())
    parts = rows.groupby(["label", "split"])["photos"].sum()
    counts: dict[Any, int] = parts.to_dict()
    return [
        {
            "label": row["label"],
            "photos": row["photos"],
            "series": row["series"],
            "warnings": row["warnings"],
            "parts": [
                {"split": split["name"], "tint": split["tint"], "photos": number}
                | {"width": round(100 * number / largest, 2)}
                for split in splits
                if (number := counts.get((row["label"], split["name"]), 0))
            ],
        }
        for row in labels.head(MAX_BARS).reset_index().to_dict("records")
    ]


def _batch(changes: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return how new photos differ; None if all photos or none are new."""
    new, earlier = changes["new_photos"], changes.get("earlier_photos", 0)
    if not new or not earlier:
        return None
    labels = [
        {
            "label": label_text(row["label"]),
            "new": percent(row["new"] / new, 1),
            "earlier": percent(row["earlier"] / earlier, 1),
            "change": row["new"] / new - row["earlier"] / earlier,
        }
        for row in changes["labels"]
    ]
    labels.sort(key=lambda row: -abs(row["change"]))
    distance = changes.get("mean_distance")
    return {
        "title": f"{photos(new)} were added to {earlier:,}",
        "distance": None if distance is None else f"{distance:.2f}",
        "labels": labels[:_SHOWN_LABELS],
        "measures": [
            {
                "name": name,
                "new": f"{mean['new']:.2f}",
                "earlier": f"{mean['earlier']:.2f}",
            }
            for name, mean in changes["measures"].items()
            if mean["new"] is not None and mean["earlier"] is not None
        ],
    }
