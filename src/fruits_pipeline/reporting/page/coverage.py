"""The section of coverage, and of the newest batch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

import pandas as pd

from fruits_pipeline.reporting.page.results import Results
from fruits_pipeline.reporting.page.section import Section, label_text
from fruits_pipeline.reporting.page.text import percent, photos
from fruits_pipeline.reporting.theme import count_text

MIN_PHOTOS = 20
"""Labels with fewer photos are marked."""

_SHOWN_LABELS = 12
_NO_SPLIT = "no split"


def coverage(results: Results) -> Section:
    """Return the photos of each label by split, warnings, and the newest batch."""
    section = partial(Section, "coverage", "Coverage")
    if not results.has("coverage"):
        return section(["Photos are not counted yet; the next `kedro run` does."])
    rows = results["coverage"]
    rows = rows.assign(
        label=[*map(label_text, rows["label"])], split=rows["split"].fillna(_NO_SPLIT)
    )
    is_test = _is_test(rows["split"], results.training_splits)
    bars = _bars(rows, is_test)
    warned = sum(bool(bar["warnings"]) for bar in bars)
    splits = _splits(rows, is_test)
    text = [
        f"{photos(int(rows['photos'].sum()))} of {count_text(len(bars), 'label')} in "
        + (count_text(len(splits), "split") + "." if len(splits) > 1 else "one split."),
        f"{count_text(warned, 'label')} with a warning: fewer than {MIN_PHOTOS} photos, one "
        "series only, or none for testing."
        if warned
        else "No label has fewer than "
        f"{MIN_PHOTOS} photos, one series only, or none for testing.",
    ]
    alerts = [f"{count_text(warned, 'label')} with poor coverage."] if warned else []
    batch = _batch(results["batch_changes"]) if results.has("batch_changes") else None
    content = {"bars": bars, "splits": splits, "batch": batch}
    return section(text, alerts, content)


def _is_test(splits: pd.Series, training: Collection[str]) -> pd.Series:
    return ~splits.str.lower().isin([name.lower() for name in training])


def _splits(rows: pd.DataFrame, is_test: pd.Series) -> list[dict[str, Any]]:
    """Return the splits, those of training photos first, with the tint of their bars."""
    table = pd.DataFrame({"split": rows["split"], "test": is_test}).drop_duplicates()
    names = table.sort_values(["test", "split"])["split"]
    return [{"name": name, "tint": min(i, 3)} for i, name in enumerate(names)]


def _bars(rows: pd.DataFrame, is_test: pd.Series) -> list[dict[str, Any]]:
    tints = {split["name"]: split["tint"] for split in _splits(rows, is_test)}
    has_splits = bool(is_test.any() and not is_test.all())
    largest = rows.groupby("label")["photos"].sum().max()
    bars = []
    for label, own in rows.groupby("label"):
        total = int(own["photos"].sum())
        parts = own.groupby("split")["photos"].sum()
        bars.append(
            {
                "label": label,
                "photos": total,
                "new": int(own["new_photos"].sum()),
                "series": int(own["series"].nunique()),
                "parts": [
                    {
                        "split": split,
                        "photos": int(parts[split]),
                        "width": round(100 * parts[split] / largest, 2),
                        "tint": tint,
                    }
                    for split, tint in tints.items()
                    if split in parts
                ],
                "warnings": _warnings(
                    own, has_splits and not bool(is_test[own.index].any())
                ),
            }
        )
    return sorted(bars, key=lambda bar: (not bar["warnings"], -bar["photos"]))


def _warnings(rows: pd.DataFrame, no_test: bool) -> list[str]:
    warnings = []
    if rows["photos"].sum() < MIN_PHOTOS:
        warnings.append(f"fewer than {MIN_PHOTOS} photos")
    if rows["series"].notna().all() and rows["series"].nunique() == 1:
        warnings.append("one series only")
    if no_test:
        warnings.append("none for testing")
    return warnings


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
