"""Inline pictures: thumbnails, and one picture of all photos of the atlas."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

from PIL import Image

CELL = 80
"""Side of a photo in the picture of the atlas, in pixels."""

_MAX_PIXELS = 16_000_000  # browsers on phones refuse larger pictures
_QUALITY = 80
_MAX_SIDE = 1600  # of an inlined sheet, in pixels


def data_uri(content: bytes, kind: str = "jpeg") -> str:
    """Return the URI of an encoded picture."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def square(thumbnail: bytes | None, side: int, background: str) -> Image.Image:
    """Return the centre of a thumbnail, scaled to a square; a plain one without bytes."""
    if not thumbnail:
        return Image.new("RGB", (side, side), background)
    photo = Image.open(io.BytesIO(thumbnail)).convert("RGB")
    edge = min(photo.size)
    left, top = ((length - edge) // 2 for length in photo.size)
    box = (left, top, left + edge, top + edge)
    return photo.resize((side, side), Image.Resampling.BILINEAR, box=box)


def sprite(thumbnails: Sequence[bytes | None], columns: int) -> tuple[str, int]:
    """Draw thumbnails without gaps, row by row.

    Args:
        thumbnails: Encoded thumbnails; None for a grey square.
        columns: Number of squares in a row.

    Returns:
        URI of the picture, and the side of a square in pixels.
    """
    rows = -(-len(thumbnails) // columns)
    side = min(CELL, int((_MAX_PIXELS / (rows * columns)) ** 0.5))
    picture = Image.new("RGB", (columns * side, rows * side))
    for i, thumbnail in enumerate(thumbnails):
        row, column = divmod(i, columns)
        photo = square(thumbnail, side, "#8a8f98")
        picture.paste(photo, (column * side, row * side))
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=_QUALITY)
    return data_uri(content.getvalue()), side


def sheet(png: bytes) -> str:
    """Return the URI of a contact sheet, scaled down and encoded for a page."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.thumbnail((_MAX_SIDE, 2 * _MAX_SIDE))
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=_QUALITY)
    return data_uri(content.getvalue())
