"""Preview of photos as a contact sheet, legible on dark and light backgrounds."""

from __future__ import annotations

import base64
import io
import textwrap
from collections.abc import Callable, Sequence
from functools import cache
from itertools import accumulate
from typing import NamedTuple, TypeVar

from kedro_datasets._typing import ImagePreview
from PIL import Image, ImageDraw, ImageFont

from fruits_pipeline.reporting.decoding import decode, decode_rejected

PHOTOS = 15
"""Maximum number of photos on a sheet."""

MAX_BYTES = 4_000_000
"""Maximum size of all photos of a sheet, which limits the time to decode them."""

_COLUMNS, _ROWS = 5, 3
_SIDE, _GAP, _CAPTION = 132, 8, 24  # pixels
# Kedro-Viz stretches pictures to 460 x 300 pixels, which is about the same ratio.
_SIZE = (
    _COLUMNS * (_SIDE + _GAP) + _GAP,
    _ROWS * (_SIDE + _CAPTION + _GAP) + _GAP,
)
_CAPTION_FONT, _TEXT_FONT = 16, 20  # pixels
_GREY = "#8c8c8c"  # legible on black and on white
_DECODING_MIB = 256
_LINE = 52  # characters


class Shown(NamedTuple):
    """A photo of a contact sheet.

    Attributes:
        caption: Text below the photo.
        content: The encoded photo.
    """

    caption: str
    content: bytes


Item = TypeVar("Item")

Decode = Callable[[Sequence[object], int, int], list[Image.Image | None]]


def photo_sheet(photos: Sequence[Shown]) -> ImagePreview:
    """Return a contact sheet of photos of unknown origin, which child processes decode."""
    return _draw(photos, decode_rejected)


def canonical_sheet(photos: Sequence[Shown]) -> ImagePreview:
    """Return a contact sheet of canonical photos."""
    return _draw(photos, _decode_canonical)


def text_image(text: str) -> ImagePreview:
    """Return a picture that consists of text."""
    lines = textwrap.wrap(text, _LINE)
    sheet = Image.new("RGBA", _SIZE)
    draw = ImageDraw.Draw(sheet)
    for number, line in enumerate(lines):
        y = 2 * _TEXT_FONT + 1.5 * _TEXT_FONT * number
        draw.text((2 * _TEXT_FONT, y), line, _GREY, _font(_TEXT_FONT))
    return _encode(sheet)


def within_budget(items: Sequence[Item], size: Callable[[Item], int]) -> list[Item]:
    """Return the smallest items of at most `MAX_BYTES` together, or the smallest one.

    Args:
        items: Photos, in the order of the result.
        size: Returns the size of a photo in bytes.
    """
    order = sorted(range(len(items)), key=lambda i: size(items[i]))
    totals = accumulate(size(items[i]) for i in order)
    fitting = [i for i, total in zip(order, totals, strict=True) if total <= MAX_BYTES]
    return [items[i] for i in sorted(fitting or order[:1])]


def _decode_canonical(
    contents: Sequence[object], side: int, max_mib: int
) -> list[Image.Image | None]:
    return [decode(content, side, max_mib) for content in contents]


def _draw(photos: Sequence[Shown], decode_all: Decode) -> ImagePreview:
    sheet = Image.new("RGBA", _SIZE)
    draw = ImageDraw.Draw(sheet)
    contents = [photo.content for photo in photos]
    images = decode_all(contents, _SIDE, _DECODING_MIB)
    for number, (photo, image) in enumerate(zip(photos, images, strict=True)):
        row, column = divmod(number, _COLUMNS)
        x = _GAP + column * (_SIDE + _GAP)
        y = _GAP + row * (_SIDE + _CAPTION + _GAP)
        _paste(sheet, (x, y), image)
        draw.text((x, y + _SIDE + 3), _fit(photo.caption), _GREY, _font(_CAPTION_FONT))
    return _encode(sheet)


def _paste(
    sheet: Image.Image, position: tuple[int, int], image: Image.Image | None
) -> None:
    """Paste a photo, centred in a square; without a photo, a frame."""
    x, y = position
    if image is None:
        frame = (x, y, x + _SIDE - 1, y + _SIDE - 1)
        ImageDraw.Draw(sheet).rectangle(frame, outline=_GREY)
        return
    scale = _SIDE / max(image.size)
    size = [max(1, round(scale * length)) for length in image.size]
    scaled = image.resize((size[0], size[1]), Image.Resampling.BILINEAR)
    sheet.paste(scaled, (x + (_SIDE - size[0]) // 2, y + (_SIDE - size[1]) // 2))


def _fit(caption: str) -> str:
    """Return a caption that is as wide as a photo at most."""
    text = " ".join(caption.split())
    if _font(_CAPTION_FONT).getlength(text) <= _SIDE:
        return text
    while text and _font(_CAPTION_FONT).getlength(f"{text}…") > _SIDE:
        text = text[:-1]
    return f"{text}…"


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    # Imported here because it is slow to import, and datasets are imported by every run.
    from matplotlib import get_data_path

    return ImageFont.truetype(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf", size)


def _encode(sheet: Image.Image) -> ImagePreview:
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", compress_level=1)
    return ImagePreview(base64.b64encode(buffer.getvalue()).decode())
