"""A white page for photos and text, measured in inches from its top left corner.

Photos go on one canvas and text is placed in its coordinates, so that both stay in
step at any resolution, and hundreds of photos cost no more than one picture.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator
from typing import Literal

from matplotlib.figure import Figure
from matplotlib.font_manager import findfont
from matplotlib.ft2font import FT2Font, LoadFlags
from PIL import Image

from fruits_pipeline.reporting.figures import FAINT, FONT, INK

DPI = 120
MARGIN = 0.4
TOP = 1.0
TEXT = 8.0
TITLE = 15.0
LINE = 1.35 * TEXT / 72

_MISSING = "\N{WHITE SQUARE}"
# Where to break a line: after spaces and slashes, else joints of a name, else anywhere.
_BREAKS = (r"[^ /]+[ /]*|[ /]+", r"[^_-]+[_-]*|[_-]+", r".")
_LONGEST = 500


class Page:
    """A white page under a title; content starts at `MARGIN` and `TOP`.

    Args:
        title: Written in the top left corner; the page is wide enough for it.
        width: Of the content, in inches.
        height: Of the content, in inches.
    """

    def __init__(self, title: str, width: float, height: float) -> None:
        width = max(width, text_width(title) * TITLE / TEXT) + 2 * MARGIN
        size = round(DPI * width), round(DPI * (TOP + height + MARGIN))
        self._canvas = Image.new("RGB", size, "white")
        self._figure = Figure((size[0] / DPI, size[1] / DPI), dpi=DPI)
        self._axes = self._figure.add_axes((0, 0, 1, 1))
        self._axes.set_axis_off()
        self.write((MARGIN, MARGIN), [title], size=TITLE)

    def write(
        self,
        at: tuple[float, float],
        lines: list[str],
        *,
        color: str = INK,
        align: Literal["left", "right"] = "left",
        size: float = TEXT,
    ) -> None:
        """Write lines downwards from a place, of `LINE` inches each at usual size."""
        # Each on its baseline: as one block they would move with their tallest glyph.
        for i, line in enumerate(lines):
            self._axes.text(
                at[0],
                at[1] + (i + 0.72) * LINE * size / TEXT,
                line,
                ha=align,
                color=color,
                fontsize=size,
                fontfamily=FONT,
                parse_math=False,
            )

    def paste(
        self, at: tuple[float, float], picture: Image.Image | None, side: float
    ) -> None:
        """Fit a picture into a square, whole and centred; None is a grey square."""
        left, top, pixels = (round(DPI * inches) for inches in (*at, side))
        if picture is None:
            self._canvas.paste(FAINT, (left, top, left + pixels, top + pixels))
            return
        scale = pixels / max(picture.size)
        width, height = (max(1, round(scale * length)) for length in picture.size)
        place = left + (pixels - width) // 2, top + (pixels - height) // 2
        fitted = picture.resize((width, height), Image.Resampling.LANCZOS)
        self._canvas.paste(fitted, place)

    def finished(self) -> Figure:
        """Return the figure, photos below the text."""
        width, height = (length / DPI for length in self._canvas.size)
        self._axes.imshow(self._canvas, extent=(0, width, height, 0), aspect="auto")
        return self._figure


@functools.cache
def _font() -> FT2Font:
    # Not by get_font: that one is shared with the renderer, which changes its size.
    font = FT2Font(findfont(FONT))
    font.set_size(TEXT, 72)
    return font


@functools.cache
def _advance(char: str) -> float:
    return _font().load_char(ord(char), LoadFlags.NO_HINTING).linearHoriAdvance / 65536


def text_width(text: str) -> float:
    """Return the width in inches of text at the usual size."""
    return sum(map(_advance, text)) / 72


def wrapped(
    text: str, width: float, limit: int, *, keep_end: bool = False
) -> list[str]:
    """Break text into lines, and shorten what is too long with an ellipsis.

    Characters that the font does not have become empty squares.

    Args:
        text: Any text; runs of white space count as one space.
        width: Of a line, in inches at the usual size.
        limit: Largest number of lines.
        keep_end: Shorten at the start, as suits a path.
    """
    known = _font().get_charmap()
    text = " ".join(unicodedata.normalize("NFC", text).split())
    text = "".join(char if ord(char) in known else _MISSING for char in text)
    text = text[-_LONGEST:] if keep_end else text[:_LONGEST]
    while len(lines := _lines(text, width)) > limit:
        text = "…" + text[2:] if keep_end else text[:-2] + "…"
    return lines


def _lines(text: str, width: float) -> list[str]:
    lines = [""]
    for piece in _pieces(text, width, *_BREAKS):
        if text_width((lines[-1] + piece).rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return [line.strip() for line in lines]


def _pieces(text: str, width: float, pattern: str, *finer: str) -> Iterator[str]:
    for piece in re.findall(pattern, text):
        if finer and text_width(piece.rstrip()) > width:
            yield from _pieces(piece, width, *finer)
        else:
            yield piece
