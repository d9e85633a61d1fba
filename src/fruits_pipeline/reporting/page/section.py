"""A section of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fruits_pipeline.models.classifiers import distinct_text
from fruits_pipeline.reporting.page.results import Results
from fruits_pipeline.reporting.theme import NO_LABEL


@dataclass(frozen=True)
class Section:
    """A section of the page, in the form that its template needs.

    Attributes:
        name: Name of the template, and anchor.
        title: Heading.
        text: What came in, what came out, and what looks wrong.
        alerts: Sentences about what looks wrong, for the summary.
        content: Variables of the template; None if the section has only a text.
        figures: Plotly figures, by the name of their element.
    """

    name: str
    title: str
    text: Sequence[str]
    alerts: Sequence[str] = ()
    content: Mapping[str, Any] | None = None
    figures: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def label_text(label: Any) -> str:
    """Return a label, or `no label` for a missing one."""
    return label if isinstance(label, str) else distinct_text(NO_LABEL, [])


def card(results: Results, path: str, *lines: str, mark: str = "") -> dict[str, Any]:
    """Return the variables of a photo: picture, path, lines of text, and a mark."""
    picture = results.picture(path)
    return {"picture": picture, "path": path, "lines": lines, "mark": mark}
