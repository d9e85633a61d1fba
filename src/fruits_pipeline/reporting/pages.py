"""A white page for photos and text, measured in inches from its top left corner.

Photos are pasted into one image, and text is drawn on top in the same coordinates. They
stay aligned at any resolution, and hundreds of photos are as fast as one.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator
from typing import Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont
from matplotlib.ft2font import FT2Font, LoadFlags
from PIL import Image

from fruits_pipeline.reporting.theme import FONT, PALE_GREY, TEXT_COLOUR

DPI = 120
# Font sizes in points.
TEXT_SIZE = 8.0
TITLE_SIZE = 15.0
# Lengths in inches.
MARGIN = 0.4
TOP = 1.0
LINE_HEIGHT = 1.35 * TEXT_SIZE / 72

_BASELINE = 0.72  # from the top of a line, in line heights
_MISSING_GLYPH = "\N{WHITE SQUARE}"
# Lines break after spaces and slashes; a longer piece after "_" and "-", else anywhere.
_BREAKS = (r"[^ /]+[ /]*|[ /]+", r"[^_-]+[_-]*|[_-]+", r".")
_MAX_LENGTH = 500
_STRIP = 256  # rows of pixels that are converted at a time, to save memory


class Page:
    """A white page with a title; content starts at (`MARGIN`, `TOP`).

    Args:
        title: Text in the top left corner; the page is at least as wide.
        width: Width of the content in inches.
        height: Height of the content in inches.
    """

    def __init__(self, title: str, width: float, height: float) -> None:
        title_width = text_width(title) * TITLE_SIZE / TEXT_SIZE
        width = max(width, title_width) + 2 * MARGIN
        size = round(DPI * width), round(DPI * (TOP + height + MARGIN))
        self._canvas = Image.new("RGB", size, "white")
        self._figure = Figure((size[0] / DPI, size[1] / DPI), dpi=DPI)
        self._axes = self._figure.add_axes((0, 0, 1, 1))
        self._axes.set_axis_off()
        self.write((MARGIN, MARGIN), [title], size=TITLE_SIZE)

    def write(
        self,
        position: tuple[float, float],
        lines: list[str],
        *,
        colour: str = TEXT_COLOUR,
        align: Literal["left", "right"] = "left",
        size: float = TEXT_SIZE,
    ) -> None:
        """Write lines of text, each `LINE_HEIGHT` high at `TEXT_SIZE`.

        Args:
            position: Top left corner of the text, or top right corner if `align` is
                `right`; in inches from the left and the top of the page.
            lines: Lines from top to bottom.
            colour: Colour of the text.
            align: Alignment of each line.
            size: Font size in points.
        """
        # Line by line, because matplotlib aligns a block of lines by its tallest glyph.
        for i, line in enumerate(lines):
            self._axes.text(
                position[0],
                position[1] + (i + _BASELINE) * LINE_HEIGHT * size / TEXT_SIZE,
                line,
                ha=align,
                color=colour,
                fontsize=size,
                fontfamily=FONT,
                parse_math=False,
            )

    def paste(
        self, position: tuple[float, float], photo: Image.Image | None, side: float
    ) -> None:
        """Paste a photo, scaled and centred, into a square of `side` inches.

        Without a photo (None), the square is grey.
        """
        left, top, pixels = (round(DPI * inches) for inches in (*position, side))
        if photo is None:
            self._canvas.paste(PALE_GREY, (left, top, left + pixels, top + pixels))
            return
        scale = pixels / max(photo.size)
        width, height = (max(1, round(scale * length)) for length in photo.size)
        corner = left + (pixels - width) // 2, top + (pixels - height) // 2
        scaled = photo.resize((width, height), Image.Resampling.LANCZOS)
        self._canvas.paste(scaled, corner)

    def to_figure(self) -> Figure:
        """Return the page as a figure. Call it once, after all photos are pasted."""
        width, height = (length / DPI for length in self._canvas.size)
        self._axes.set(xlim=(0, width), ylim=(height, 0))
        self._figure.add_artist(_Picture(self._canvas))
        return self._figure


class _Picture(Artist):
    """A picture that fills a figure, below its other artists.

    `imshow` takes 110 bytes per pixel, because it resamples in 64-bit numbers; a page of
    200 labels has 4 million pixels.
    """

    zorder = -1

    def __init__(self, picture: Image.Image) -> None:
        super().__init__()
        self._picture = picture

    def draw(self, renderer: RendererBase) -> None:
        """Draw the picture at the resolution of the renderer."""
        width, height = map(round, renderer.get_canvas_width_height())
        picture = self._picture
        if picture.size != (width, height):
            picture = picture.resize((width, height), Image.Resampling.LANCZOS)
        for top in range(0, height, _STRIP):
            bottom = min(top + _STRIP, height)
            strip = picture.crop((0, top, width, bottom)).convert("RGBA")
            pixels = np.array(strip)[::-1]  # rows from the bottom
            renderer.draw_image(renderer.new_gc(), 0, height - bottom, pixels)


@functools.cache
def _font() -> FT2Font:
    # Not matplotlib's get_font: its font is shared with the renderer, which resizes it.
    font = FT2Font(findfont(FONT))
    font.set_size(TEXT_SIZE, 72)
    return font


@functools.cache
def _char_width(char: str) -> float:
    """Return the width of a character at `TEXT_SIZE`, in points."""
    return _font().load_char(ord(char), LoadFlags.NO_HINTING).linearHoriAdvance / 65536


def text_width(text: str) -> float:
    """Return the width of text at `TEXT_SIZE`, in inches."""
    return sum(map(_char_width, text)) / 72


def wrap_text(
    text: str, width: float, max_lines: int, *, keep_end: bool = False
) -> list[str]:
    """Break text into lines, and shorten text that is too long with an ellipsis.

    Characters that the font does not contain become empty squares.

    Args:
        text: Any text; each run of white space counts as one space.
        width: Maximum width of a line at `TEXT_SIZE`, in inches.
        max_lines: Maximum number of lines.
        keep_end: Shorten at the start, for paths.
    """
    known = _font().get_charmap()
    text = " ".join(unicodedata.normalize("NFC", text).split())
    text = "".join(char if ord(char) in known else _MISSING_GLYPH for char in text)
    text = text[-_MAX_LENGTH:] if keep_end else text[:_MAX_LENGTH]
    while len(lines := _break_lines(text, width)) > max_lines:
        text = "…" + text[2:] if keep_end else text[:-2] + "…"
    return lines


def _break_lines(text: str, width: float) -> list[str]:
    lines = [""]
    for piece in _split_text(text, width, *_BREAKS):
        if text_width((lines[-1] + piece).rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return [line.strip() for line in lines]


def _split_text(text: str, width: float, pattern: str, *finer: str) -> Iterator[str]:
    """Yield the matches of a pattern, split by finer patterns if they are too wide."""
    for piece in re.findall(pattern, text):
        if finer and text_width(piece.rstrip()) > width:
            yield from _split_text(piece, width, *finer)
        else:
            yield piece
