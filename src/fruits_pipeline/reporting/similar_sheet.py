"""A contact sheet of photos and the photos that are similar to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from fruits_pipeline.reporting.contact_sheets import CANONICAL_MIB
from fruits_pipeline.reporting.decoding import decode
from fruits_pipeline.reporting.pages import (
    DPI,
    LINE_HEIGHT,
    MARGIN,
    TOP,
    Page,
    wrap_text,
)
from fruits_pipeline.reporting.theme import ACCENT_COLOUR, count_text

MAX_ROWS = 20
"""Maximum number of photos for which similar ones are drawn."""

# Lengths in inches.
_WIDTH = 1.5
_STEP = _WIDTH + 0.15
_HEIGHT = _WIDTH + 4.5 * LINE_HEIGHT
_GAP = 0.25  # between a photo and the similar ones


@dataclass(frozen=True)
class SheetPhoto:
    """A photo on the sheet.

    Attributes:
        path: Path of the photo.
        caption: Text below the path, on one line.
        image: Canonical photo; None if it cannot be read.
    """

    path: str
    caption: str
    image: bytes | None


def similar_sheet(rows: Sequence[tuple[SheetPhoto, Sequence[SheetPhoto]]]) -> Figure:
    """Draw a row for each photo: the photo, and on its right the similar ones.

    Args:
        rows: Photos, and the photos that are similar to each, the most similar first.
    """
    shown = rows[:MAX_ROWS]
    title = f"Photos similar to {count_text(len(rows), 'photo')}"
    if len(rows) > len(shown):
        title += f", {len(shown)} of them shown"
    columns = 1 + max((len(similar) for _, similar in shown), default=0)
    page = Page(title, columns * _STEP + _GAP, len(shown) * _HEIGHT)
    for i, (photo, similar) in enumerate(shown):
        y = TOP + i * _HEIGHT
        _draw(page, (MARGIN, y), photo)
        for j, other in enumerate(similar, 1):
            _draw(page, (MARGIN + _GAP + j * _STEP, y), other)
    return page.to_figure()


def _draw(page: Page, position: tuple[float, float], photo: SheetPhoto) -> None:
    x, y = position
    image = decode(photo.image, round(DPI * _WIDTH), CANONICAL_MIB)
    page.paste(position, image, _WIDTH)
    path = wrap_text(photo.path, _WIDTH, 2, keep_end=True)
    y += _WIDTH + 0.06
    page.write((x, y), path)
    caption = wrap_text(photo.caption, _WIDTH, 2)
    page.write((x, y + len(path) * LINE_HEIGHT), caption, colour=ACCENT_COLOUR)
