import pytest

from fruits_pipeline.reporting.theme import (
    FIGURE_ACCENT,
    FIGURE_LINE,
    FIGURE_TEXT,
    plotly_layout,
)

# Backgrounds of Kedro-Viz, and of a page.
BACKGROUNDS = ("#111111", "#eeeeee", "#ffffff")


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour according to WCAG."""
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = (
        p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
    )
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("colour", [FIGURE_TEXT, FIGURE_LINE, FIGURE_ACCENT])
def test_figures_are_legible_on_dark_and_light(colour: str, background: str) -> None:
    dark, light = sorted([luminance(colour), luminance(background)])
    assert (light + 0.05) / (dark + 0.05) > 3.2


def test_background_of_figures_is_transparent() -> None:
    layout = plotly_layout("title", 400)
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0, 0, 0, 0)"
    assert layout.font.color == FIGURE_TEXT
