"""The section of image quality."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd

from fruits_pipeline.reporting import examples
from fruits_pipeline.reporting.image_quality import MEASURE_OF
from fruits_pipeline.reporting.page import figures
from fruits_pipeline.reporting.page.results import Results
from fruits_pipeline.reporting.page.section import Section, card, label_text
from fruits_pipeline.reporting.page.text import listing, photos, sample_of

TITLES = {
    "brightness": "brightness",
    "contrast": "contrast",
    "sharpness": "sharpness",
    "saturation": "saturation",
    "shorter_side": "shorter side, pixels",
    "aspect_ratio": "aspect ratio",
}
NAMES = {"low_contrast": "low contrast", "odd_aspect": "odd aspect ratio"}


def quality(results: Results) -> Section:
    """Return histograms of the measures, and the worst photos of each issue."""
    section = partial(Section, "quality", "Image quality")
    if not results.has("quality_histograms", "quality_issues"):
        return section(["The quality is not measured yet; the next `kedro run` does."])
    measured = results["quality_histograms"]
    counts = {issue: n for issue, n in measured["issues"].items() if n}
    found = [f"{n:,} {NAMES.get(issue, issue)}" for issue, n in counts.items()]
    text = [
        f"Measures of {sample_of(measured['photos'], measured.get('of'))}. Dotted lines are the limits "
        "report.quality.",
        f"Photos beyond them: {listing(found)}."
        if found
        else "No photo is beyond them.",
    ]
    alerts = [f"Image quality: {listing(found)}."] if found else []
    content = {"groups": _groups(results, counts)}
    return section(text, alerts, content, _histograms(measured, results))


def _groups(results: Results, counts: Mapping[str, int]) -> list[dict[str, Any]]:
    issues = results["quality_issues"]
    groups = []
    for issue, count in counts.items():
        rows = examples.example_issues(issues[issues["issue"] == issue], results.shown)
        cards = [
            card(results, row["path"], label_text(row["label"]), mark=_value(row))
            for _, row in rows.iterrows()
        ]
        name = f"{NAMES.get(issue, issue)}: {photos(count)}"
        groups.append({"name": name, "cards": cards})
    return groups


def _value(row: pd.Series) -> str:
    return f"{row['value']:.3g}"


def _histograms(
    measured: Mapping[str, Any], results: Results
) -> dict[str, dict[str, Any]]:
    limits: dict[str, list[float]] = {}
    for issue, limit in results.limits.items():
        limits.setdefault(MEASURE_OF[issue], []).append(limit)
    return {
        f"{name}-figure": figures.histogram(
            histogram, limits.get(name, []), TITLES.get(name, name)
        )
        for name, histogram in measured["measures"].items()
    }
