"""The sections of the atlas, of the explained variance and of the map."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd

from fruits_pipeline.reporting.page import figures
from fruits_pipeline.reporting.page.results import Results
from fruits_pipeline.reporting.page.section import Section, label_text
from fruits_pipeline.reporting.page.similarity import why_missing
from fruits_pipeline.reporting.page.sprites import sprite
from fruits_pipeline.reporting.page.text import percent, photos
from fruits_pipeline.reporting.palette import colours_of
from fruits_pipeline.reporting.theme import count_text


def atlas(results: Results) -> Section:
    """Return the photos of the atlas as one picture, with their labels and paths."""
    section = partial(Section, "atlas", "Photo atlas")
    if reason := why_missing(results, "atlas", "thumbnails"):
        return section([reason])
    places = _places(results)
    if places.empty:
        return section(["There are no photos with features."])
    columns = int(places["column"].max()) + 1
    picture, side = sprite([*map(results.thumbnails.get, places["path"])], columns)
    labels = [*map(label_text, places["label"])]
    colours = colours_of(places["label"])
    counts = pd.Series(labels).value_counts()
    legend = [
        {"label": label, "colour": colour, "photos": int(counts[label])}
        for label, colour in sorted({*zip(labels, colours, strict=True)})
    ]
    position = {entry["label"]: i for i, entry in enumerate(legend)}
    content = {
        "picture": picture,
        "legend": legend,
        "data": {
            "columns": columns,
            "side": side,
            "paths": [*places["path"]],
            "labels": [position[label] for label in labels],
            "legend": [[entry["label"], entry["colour"]] for entry in legend],
        },
    }
    return section(_describe(places, results["exploration"]["compared"]), (), content)


def _describe(places: pd.DataFrame, compared: int) -> list[str]:
    """Return what the atlas shows.

    Args:
        places: `label` of each photo of the atlas.
        compared: Number of photos from which they were chosen.
    """
    labels, shown = places["label"].nunique(), photos(len(places))
    if len(places) < compared:
        shown += f" of {compared:,}, as many as fill the grid"
        if labels > 1:
            shown += f", equally many of each of {labels:,} labels where possible"
    point = "Point at a photo for its path; scroll with Ctrl, or double-click, to zoom."
    if labels > 1:
        point = (
            "A frame of another colour within a group is a photo that looks like other "
            f"labels. {point.replace('its path', 'its label and path')}"
        )
    return [f"{shown}. Similar photos are next to each other.", point]


def variance(results: Results) -> Section:
    """Return the curve of the explained variance."""
    section = partial(Section, "variance", "Explained variance")
    if not results.has("variance_curve", "run_summary"):
        return section(["There is no PCA yet; the next `kedro run` fits it."])
    counts = results["run_summary"]
    needed = counts.get("components_for", {})
    marks = ", ".join(f"{share} in {number:,}" for share, number in needed.items())
    text = [
        f"{percent(counts['explained_variance'], 1)} of the variance of "
        f"{counts['feature_width']:,} features is in "
        f"{count_text(counts['components'], 'component')}.",
        f"A steep curve means that the photos differ in few ways. {marks}."
        if marks
        else "A steep curve means that the photos differ in few ways.",
    ]
    figure = figures.variance(results["variance_curve"], counts["components"])
    return section(text, (), {}, {"variance-figure": figure})


def photo_map(results: Results) -> Section:
    """Return the map of the first two components."""
    section = partial(Section, "map", "Map of two components")
    if not results.has("photo_map"):
        return section(["There is no map yet; the next `kedro run` draws it."])
    cells: dict[str, int] = {}
    if results.has("atlas") and not results["atlas"].empty:
        cells = {path: i for i, path in enumerate(_places(results)["path"])}
    figure = figures.photo_map(results["photo_map"], cells)
    shown = len(figure["data"][0]["x"])
    title = results["photo_map"].get("layout", {}).get("title", {}).get("text", "")
    share = title.partition("(")[2].partition(" %")[0]
    text = [
        f"{photos(shown)} by their first two components"
        + (f", which keep {share} % of the variance." if share else "."),
        ("Photos of the atlas are larger, and show their picture. " if cells else "")
        + "Groups that overlap here can be apart in the other components.",
    ]
    return section(text, (), {}, {"map-figure": figure})


def _places(results: Results) -> pd.DataFrame:
    places: Any = results["atlas"].sort_values(["row", "column"])
    table: pd.DataFrame = places
    return table
