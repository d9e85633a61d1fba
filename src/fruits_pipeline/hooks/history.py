"""The history of runs, and the text that a run prints at its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from kedro.io import DataCatalog

from fruits_pipeline.hooks.current import location_of
from fruits_pipeline.reporting.theme import count_text

HISTORY = "run_history"
"""Catalog entry: one object for each run that has written a batch."""


def record_run(catalog: DataCatalog, run: Mapping[str, Any]) -> dict[str, Any] | None:
    """Add a run to the history, if it has written a batch.

    Args:
        catalog: Datasets of the run.
        run: Numbers of the run, with `new_photos` and `batches_written`.

    Returns:
        The newest run with new photos, which can be this one; None if there is none.
    """
    history: list[dict[str, Any]] = catalog.load(HISTORY)
    if any(run["batches_written"].values()):
        finished_at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        history = [*history, {"finished_at": finished_at, **run}]
        catalog.save(HISTORY, history)
    with_photos = (entry for entry in reversed(history) if entry.get("new_photos"))
    return next(with_photos, None)


def summary_lines(catalog: DataCatalog, summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield the text about a run: counts, vectors, speed, and where the results are."""
    left_out = sum(summary["left_out"].values())
    yield (
        f"Run summary: {count_text(summary['photos'], 'photo')}, {summary['new_photos']:,} of them "
        f"new; {summary['rejected']:,} rejected, {count_text(left_out, 'other file')} "
        "left out"
    )
    if removed := summary.get("without_content"):
        yield (
            f"  The content of {count_text(removed, 'photo')} was removed after "
            "retention.content_days. They are on no contact sheet, and another backbone or "
            f"recipe needs them again: --params removed_content=read reads them"
        )
    yield (
        f"  Vectors: {summary['feature_width']:,} features reduced to "
        f"{summary['components']:,} components, which keep "
        f"{summary['explained_variance']:.1%} of the variance"
    )
    last = summary.get("last_run_with_new_photos")
    if last:
        yield (
            f"  Speed: no new photos; the run of {last['finished_at']} processed "
            f"{last['new_photos']:,} at {last['photos_per_second']:,.0f} photos/s"
        )
    else:
        seconds = ", ".join(f"{n} {s:.0f} s" for n, s in summary["seconds"].items())
        if summary["new_photos"]:
            yield f"  Speed: {summary['photos_per_second']:,.0f} photos/s ({seconds})"
        else:
            yield f"  Time: {seconds}"
    reports = (location_of(catalog, "run_summary") or "").rpartition("/")[0]
    yield f"  Results: figures, tables and run_summary.json in {reports}"


def classifier_lines(catalog: DataCatalog, outputs: set[str]) -> Iterator[str]:
    """Yield the text about the classifier of a run, and where the results are.

    Args:
        catalog: Datasets of the run.
        outputs: Names of the datasets that the run has saved.
    """
    if "evaluation" in outputs:
        found = catalog.load("evaluation")
        yield f"Classifier: {found['labels']:,} labels, {found['photos']:,} test photos"
        if found["accuracy"] is not None:
            yield (
                f"  Accuracy {found['accuracy']:.1%}; answers {found['answered']:.0%} of "
                "the photos, the others are unknown"
            )
        reports = (location_of(catalog, "evaluation") or "").rpartition("/")[0]
        yield f"  Results: evaluation.json and figures in {reports}"
    if "phone_model" in outputs:
        yield f"  Phone model: {location_of(catalog, 'phone_model')}"
