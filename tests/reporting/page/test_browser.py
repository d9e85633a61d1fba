"""Open the page from disk in headless Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from page_results import HOSTILE_LABELS, make_results

from fruits_pipeline.reporting.page.page import render_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

PAGES = {
    "hostile labels": (HOSTILE_LABELS, 4),
    "130 labels": ([f"label {i}" for i in range(130)], 2),
    "one photo": (["Fig"], 1),
    "no labels": ([None], 6),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("hostile labels", "light"),
        ("hostile labels", "dark"),
        ("130 labels", "dark"),
        ("one photo", "light"),
        ("no labels", "light"),
    ],
)
def test_page_opens_from_disk_with_all_figures(
    browser: Any, tmp_path: Path, name: str, scheme: str
) -> None:
    labels, per_label = PAGES[name]
    results = make_results(labels, per_label)
    file = tmp_path / "report.html"
    file.write_text(render_page(results))
    problems: list[str] = []
    width = 1280 if scheme == "light" else 400
    page = browser.new_page(
        color_scheme=scheme, viewport={"width": width, "height": 800}
    )
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    page.on(
        "request",
        lambda request: (
            problems.append(request.url)
            if not request.url.startswith(("file:", "data:", "blob:"))
            else None
        ),
    )
    page.goto(file.as_uri())
    page.wait_for_selector("#atlas-canvas[data-drawn]")
    figures = page.eval_on_selector_all(
        ".plot", "all => all.map(e => [e.id, e.querySelectorAll('.main-svg').length])"
    )
    assert len(figures) == (11 if results.has("answers") else 8)
    assert all(drawings for _, drawings in figures), figures
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.hover("#atlas-canvas")
    expected = {"no label" if label is None else label for label in labels}
    assert page.text_content("#tip b") in expected
    assert not problems
    page.close()
