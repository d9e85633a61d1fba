"""The section with the summary of the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fruits_pipeline.reporting.page.results import Results
from fruits_pipeline.reporting.page.section import Section
from fruits_pipeline.reporting.page.sprites import sheet
from fruits_pipeline.reporting.page.text import listing, percent, photos, seconds
from fruits_pipeline.reporting.theme import count_text

STAGES = ("ingest", "preprocess", "featurize", "reduce", "report")

TITLE = "What came in, and what came out"
NO_SUMMARY = "There is no complete run yet. Run `kedro run` with the same --params."


def summary(results: Results) -> Section:
    """Return the counts of the last run in sentences, and its stages."""
    if not results.has("run_summary"):
        return Section("summary", TITLE, [NO_SUMMARY])
    counts = results["run_summary"]
    timed = counts.get("last_run_with_new_photos") or counts
    stages = _stages(timed.get("seconds", {}))
    rejected = counts["rejected"]
    content = {
        "tiles": _tiles(results, counts),
        "stages": stages,
        "speed": _speed(timed, counts),
        "rejects": sheet(results["reject_sheet"])
        if rejected and results.has("reject_sheet")
        else None,
        "rejected": rejected,
        "reasons": _reasons(results),
    }
    alerts = []
    if rejected:
        alerts = [f"{photos(rejected)} rejected, because no decoder can read them."]
    if counts.get("gone"):
        alerts.append(f"{photos(counts['gone'])} no longer in the photo root.")
    return Section("summary", TITLE, [*_sentences(counts)], alerts, content)


def _sentences(counts: Mapping[str, Any]) -> Sequence[str]:
    left_out = sum(counts["left_out"].values())
    kinds = sorted(counts["left_out"].items(), key=lambda item: -item[1])
    reasons = listing([f"{number:,} × {reason}" for reason, number in kinds[:5]])
    came_in = f"The photo root contains {count_text(counts['files'], 'file')}"
    if left_out:
        came_in += f"; left out, because they are not photos: {reasons}"
    came_out = (
        f"{photos(counts['features'])} became vectors of {counts['feature_width']:,} "
        f"features, and then of {count_text(counts['components'], 'component')}, which "
        f"keep {percent(counts['explained_variance'], 1)} of the variance"
    )
    return [f"{came_in}.", f"{came_out}."]


def _tiles(results: Results, counts: Mapping[str, Any]) -> list[tuple[str, str]]:
    tiles = [(f"{counts['photos']:,}", "photos")]
    if results.has("label_counts"):
        tiles.append((f"{results['label_counts']['label'].nunique():,}", "labels"))
    tiles += [
        (f"{counts['rejected']:,}", "rejected"),
        (f"{counts['components']:,}", "components"),
    ]
    if results.has("evaluation") and results["evaluation"]["accuracy"] is not None:
        tiles.append((percent(results["evaluation"]["accuracy"], 1), "accuracy"))
    return tiles


def _stages(times: Mapping[str, float]) -> list[dict[str, Any]]:
    names = [name for name in STAGES if name in times]
    longest = max((times[name] for name in names), default=0) or 1
    return [
        {
            "name": name,
            "text": seconds(times[name]),
            "width": round(100 * times[name] / longest, 1),
        }
        for name in names
    ]


def _speed(timed: Mapping[str, Any], counts: Mapping[str, Any]) -> str:
    total = seconds(sum(timed.get("seconds", {}).values()))
    rate = timed.get("photos_per_second", 0)
    if not rate:
        return f"This run found nothing new. It took {total}."
    speed = f"{rate:,.0f}" if rate >= 1 else f"{rate:.1f}"
    run = "This run" if timed is counts else "The last run with new photos"
    return f"{run} took {total}: {speed} photos per second, start-up included."


def _reasons(results: Results) -> list[tuple[str, int]]:
    """Return the most frequent errors of rejected photos, without their details."""
    if not results.has("rejects"):
        return []
    errors = results["rejects"]["error"].astype(str).str.split(":").str[0]
    return [*errors.value_counts().head(8).items()]
