"""Draw the atlas as one picture."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from PIL import Image, ImageDraw

from fruits_pipeline.reporting.page.sprites import square
from fruits_pipeline.reporting.palette import NO_LABEL_COLOUR, colours_of

# Lengths in pixels.
_CELL = 48
_GAP = 1
_FRAME = 3
_RADIUS = 7
_OVERSAMPLING = 4  # for smooth corners


def atlas_picture(atlas: pd.DataFrame, thumbnails: Mapping[str, bytes]) -> Image.Image:
    """Draw each photo as a square with a frame in the colour of its label.

    Args:
        atlas: `path`, `label`, `row` and `column` of each photo.
        thumbnails: Encoded thumbnails by path; a photo without one is grey.

    Returns:
        A picture with transparent gaps; one transparent square without photos.
    """
    if atlas.empty:
        return Image.new("RGBA", (_CELL, _CELL))
    columns, rows = (int(atlas[name].max()) + 1 for name in ("column", "row"))
    picture = Image.new("RGBA", (columns * _CELL, rows * _CELL))
    outer = _CELL - 2 * _GAP
    inner = outer - 2 * _FRAME
    frame, photo_mask = _rounded(outer, _RADIUS), _rounded(inner, _RADIUS - _FRAME + 1)
    places = zip(*(atlas[name] for name in ("path", "row", "column")), strict=True)
    for (path, row, column), colour in zip(
        places, colours_of(atlas["label"]), strict=True
    ):
        cell = Image.new("RGB", (outer, outer), colour)
        photo = square(thumbnails.get(path), inner, NO_LABEL_COLOUR)
        cell.paste(photo, (_FRAME, _FRAME), photo_mask)
        cell.putalpha(frame)
        picture.paste(cell, (column * _CELL + _GAP, row * _CELL + _GAP))
    return picture


def _rounded(side: int, radius: int) -> Image.Image:
    """Return the mask of a square with round corners."""
    large = Image.new("L", (side * _OVERSAMPLING, side * _OVERSAMPLING))
    box = (0, 0, large.width - 1, large.height - 1)
    ImageDraw.Draw(large).rounded_rectangle(box, radius * _OVERSAMPLING, 255)
    return large.resize((side, side), Image.Resampling.LANCZOS)
