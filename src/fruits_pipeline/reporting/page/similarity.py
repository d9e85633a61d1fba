"""The sections of near duplicates, suspect labels and outliers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pandas as pd

from fruits_pipeline.reporting import examples
from fruits_pipeline.reporting.page.results import Results
from fruits_pipeline.reporting.page.section import Section, card, label_text
from fruits_pipeline.reporting.page.text import have, listing, photos, sample_of
from fruits_pipeline.reporting.theme import count_text

SKIPPED = (
    "Photos were not compared, because little memory is available or "
    "report.explore=false; report.explore=true compares them."
)
MISSING = "There is no comparison of photos yet; the next `kedro run` makes it."


def why_missing(results: Results, *names: str) -> str | None:
    """Return why a section has no content; None if it has."""
    if not results.has("exploration", *names):
        return MISSING
    return None if results["exploration"]["explored"] else SKIPPED


def near_duplicates(results: Results) -> Section:
    """Return the most similar pairs, and how many test photos they affect."""
    section = partial(Section, "duplicates", "Near duplicates")
    if reason := why_missing(results, "near_duplicates"):
        return section([reason])
    found = results["exploration"]
    across = found["duplicate_pairs_across_splits"]
    within = found["duplicate_pairs"] - across
    place = " in one split" if across or found["leakage"] else ""
    text = [
        f"{sample_of(found['compared'], found.get('photos'))} were compared. "
        f"{count_text(within, 'pair')}{place} "
        f"{have(within)} a similarity of {found['similarity']:g} or more"
        + (
            f", and {count_text(across, 'pair')} in two splits {have(across)} one of "
            f"{found['similarity_across_splits']:g} or more"
            if place
            else ""
        )
        + ". Frames of one series in one split are not counted."
    ]
    leaks = [
        f"{row['with_near_duplicate']:,} of {photos(row['photos'])} in {row['split']} "
        f"{have(row['with_near_duplicate'])} a near duplicate in training"
        for row in found["leakage"]
        if row["with_near_duplicate"]
    ]
    if leaks:
        text.append(f"{listing(leaks)}: an accuracy on them is too optimistic.")
    elif found["leakage"]:
        text.append("No test photo has a near duplicate in training.")
    shown = examples.example_pairs(results["near_duplicates"], results.shown)
    if len(shown) < found["duplicate_pairs"]:
        text.append(
            f"{len(shown):,} of these pairs are shown; others are in near_duplicates.csv."
        )
    content = {"pairs": [_pair(results, row) for _, row in shown.iterrows()]}
    return section(text, [f"{leak}." for leak in leaks], content)


def _pair(results: Results, row: pd.Series) -> dict[str, object]:
    sides = (("path", "label", "split"), ("other_path", "other_label", "other_split"))
    cards = [
        card(results, row[path], label_text(row[label]), _split(row[split]))
        for path, label, split in sides
    ]
    return {
        "cards": cards,
        "similarity": f"{row['similarity']:.3f}",
        "across": bool(row["across_splits"]),
        "labels_differ": label_text(row["label"]) != label_text(row["other_label"]),
    }


def _split(split: object) -> str:
    return split if isinstance(split, str) else ""


def suspect_labels(results: Results) -> Section:
    """Return the photos whose neighbours all have another label."""
    section = partial(Section, "suspects", "Probable label errors")
    if reason := why_missing(results, "suspect_labels"):
        return section([reason])
    count = results["exploration"]["suspect_labels"]
    if not results["exploration"].get("labels", 1):
        return section(["The photos have no labels."])
    if not count:
        return section(["No photo has three nearest neighbours of one other label."])
    text = [
        f"{photos(count)} {have(count)} no neighbour of the same label, and three nearest neighbours of "
        "one other label. Each is shown with these three: either the label is wrong, or "
        "the photo is unusual."
    ]
    shown = examples.example_suspects(results["suspect_labels"], results.shown)
    content = {"rows": [_suspect(results, row) for _, row in shown.iterrows()]}
    alerts = [f"{photos(count)} with a probable label error."] if count else []
    return section(text, alerts, content)


def _suspect(results: Results, row: pd.Series) -> dict[str, object]:
    names = [name for name in row.index if name.startswith("neighbour_")]
    suggested = label_text(row["suggested_label"])
    return {
        "card": card(results, row["path"], label_text(row["label"])),
        "suggested": suggested,
        "neighbours": [card(results, row[name], suggested) for name in names],
    }


def outliers(results: Results) -> Section:
    """Return the photos that are most distant from the others of their label."""
    section = partial(Section, "outliers", "Outliers of each label")
    if reason := why_missing(results, "outliers"):
        return section([reason])
    count = results["exploration"]["outliers"]
    if not results["exploration"].get("labels", 1):
        return section(["The photos have no labels."])
    if not count:
        return section(["No photo differs strongly from the others of its label."])
    verb = "differs" if count == 1 else "differ"
    text = [
        f"{photos(count)} {verb} strongly from the other photos of their label. The "
        "number is the distance from the mean of the label; 1 is typical."
    ]
    shown = examples.example_outliers(results["outliers"], results.shown)
    content = {
        "cards": [
            card(results, row["path"], label_text(row["label"]), mark=_distance(row))
            for _, row in shown.iterrows()
        ]
    }
    return section(text, (), content)


def _distance(row: pd.Series) -> str:
    return f"{row['distance']:.1f} ×"


SECTIONS: tuple[Callable[[Results], Section], ...] = (
    near_duplicates,
    suspect_labels,
    outliers,
)
