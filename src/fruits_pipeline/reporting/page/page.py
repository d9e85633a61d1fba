"""Render the page."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from fruits_pipeline.reporting.page import (
    classification,
    photo_atlas,
    similarity,
)
from fruits_pipeline.reporting.page.coverage import coverage
from fruits_pipeline.reporting.page.quality import quality
from fruits_pipeline.reporting.page.results import Results
from fruits_pipeline.reporting.page.section import Section
from fruits_pipeline.reporting.page.summary import summary
from fruits_pipeline.reporting.page.text import embed
from fruits_pipeline.run_id import run_id

SECTIONS: tuple[Callable[[Results], Section], ...] = (
    summary,
    photo_atlas.atlas,
    photo_atlas.variance,
    photo_atlas.photo_map,
    *similarity.SECTIONS,
    quality,
    coverage,
    classification.classifier,
    classification.wrong_answers,
    classification.refusals,
)
"""Sections in their order on the page."""


def render_page(results: Results) -> str:
    """Return the page: HTML that needs no other file and no network.

    Args:
        results: The results of the last runs; the sections of missing ones say so.
    """
    sections = [make(results) for make in SECTIONS]
    drawn: dict[str, Mapping[str, Any]] = {}
    for section in sections:
        drawn |= section.figures
    html = (
        _environment()
        .get_template("page.html")
        .render(
            root=results.root,
            run_id=run_id(),
            sections=sections,
            alerts=[(s.name, alert) for s in sections for alert in s.alerts],
            figures=Markup(embed(drawn)),  # noqa: S704 - escaped by `embed`
            plotly=Markup(_plotly()),  # noqa: S704 - JavaScript of the library
        )
    )
    # Lone surrogates, from file names that are no UTF-8, cannot be written.
    return html.encode("utf-8", "replace").decode()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("fruits_pipeline.reporting.page"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["code"] = _mark_code
    environment.filters["embed"] = lambda value: Markup(embed(value))  # noqa: S704
    return environment


def _mark_code(text: str) -> Markup:
    """Escape text, and mark commands between backticks."""
    marked = re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text)))
    return Markup(marked)  # noqa: S704 - escaped


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    text: str = get_plotlyjs()
    return text
