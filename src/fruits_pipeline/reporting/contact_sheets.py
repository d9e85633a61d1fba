"""Contact sheets: photos of each label, those that were rejected, those answered wrongly."""

import io
import math
import warnings
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image, ImageColor, ImageFile

from fruits_pipeline.reporting.figures import ACCENT, FAINT, MUTED, counted
from fruits_pipeline.reporting.pages import (
    DPI,
    LINE,
    MARGIN,
    TOP,
    Page,
    text_width,
    wrapped,
)

# All lengths are in inches.
_THUMB = 0.5
_WIDEST_NAME = 1.4
_CARD = 1.9
_CARD_HEIGHT = _CARD + 6.5 * LINE
# Larger photos stay unseen: a small file can ask for any amount of memory.
_MAX_PIXELS = 100_000_000
_NOT_DECODED = 128
_LARGEST_BLOCK = 16


def class_sheet(photos: pd.DataFrame, per_label: int) -> Figure:
    """Draw a row of examples per label, in as many columns as keep the page handy.

    Labels are sorted and run down the columns; photos without one come last, as
    "no label". What cannot be decoded is a grey square.

    Args:
        photos: `label` (None if it has none) and `image` (an encoded photo of any
            size and aspect). The first photos of a label are drawn.
        per_label: Largest number of photos in a row, at least 1.

    Returns:
        The figure; its size in inches grows with the number of labels.
    """
    labels = sorted(photos["label"].dropna().unique())
    rows = {str(label): photos["image"][photos["label"] == label] for label in labels}
    if photos["label"].isna().any():
        rows["no label"] = photos["image"][photos["label"].isna()]
    most = min(per_label, max(map(len, rows.values()), default=0))
    title = f"{counted(len(labels), 'label')}, up to {counted(most, 'photo')} each"
    return _rows_of_photos(title, rows, most)


def reject_sheet(rejects: pd.DataFrame, rejected: int, total: int) -> Figure:
    """Draw a card per rejected photo: what can be seen of it, its path, the reason.

    Of a truncated photo the part that arrived is shown. What Pillow cannot open at
    all is a grey square with its size and its first bytes.

    Args:
        rejects: A row for each reject to draw: `path`, `error` (words) and
            `content` (the bytes; may be empty or None).
        rejected: Number of rejects, drawn or not.
        total: Number of photos that were looked at, rejects among them.

    Returns:
        The figure; without rejects, a page that says so.
    """
    title = f"{rejected:,} of {counted(total, 'photo')} rejected"
    if rejected > len(rejects):
        title += f", {len(rejects):,} of them shown"
    return _cards(title, rejects)


def mistake_sheet(mistakes: pd.DataFrame, wrong: int, total: int) -> Figure:
    """Draw a card per photo that was answered wrongly: photo, path, what was said of it.

    Args:
        mistakes: A row for each photo to draw: `path`, `image` (encoded), `label`,
            `answer` and `probability`.
        wrong: Number of mistakes, drawn or not.
        total: Number of photos that were asked.

    Returns:
        The figure; without mistakes, a page that says so.
    """
    title = f"{wrong:,} of {counted(total, 'photo')} answered wrongly"
    if wrong > len(mistakes):
        title += f", the {len(mistakes):,} surest shown"
    rows = zip(*(mistakes[c] for c in ("label", "answer", "probability")), strict=True)
    words = [f"{label}: said {said}, {100 * sure:.0f} %" for label, said, sure in rows]
    return _cards(title, mistakes.assign(error=words, content=mistakes["image"]))


def _cards(title: str, photos: pd.DataFrame) -> Figure:
    step = _CARD + 0.25
    columns = _columns(len(photos), step, _CARD_HEIGHT)
    height = math.ceil(len(photos) / columns) * _CARD_HEIGHT
    page = Page(title, columns * step - 0.25, height)
    for i, photo in enumerate(photos.to_dict("records")):
        row, column = divmod(i, columns)
        at = MARGIN + column * step, TOP + row * _CARD_HEIGHT
        _draw_card(page, at, photo)
    return page.finished()


def _rows_of_photos(title: str, rows: dict[str, pd.Series], most: int) -> Figure:
    names = [wrapped(name, _WIDEST_NAME, 3) for name in rows]
    indent = 0.1 + max((text_width(line) for name in names for line in name), default=0)
    step, row, gap = _THUMB + 0.04, _THUMB + 0.07, 0.35
    column = indent + most * step + gap
    height = math.ceil(len(rows) / _columns(len(rows), column, row))
    columns = math.ceil(len(rows) / max(1, height))
    page = Page(title, columns * column - gap, height * row)
    for i, (name, images) in enumerate(zip(names, rows.values(), strict=True)):
        x, y = MARGIN + indent + i // height * column, TOP + i % height * row
        middle = y + (_THUMB - len(name) * LINE) / 2
        page.write((x - 0.1, middle), name, align="right")
        for j, content in enumerate(images.head(most)):
            page.paste((x + j * step, y), _picture(content), _THUMB)
    return page.finished()


def _draw_card(page: Page, at: tuple[float, float], photo: dict[Hashable, Any]) -> None:
    x, y = at
    with _truncated_photos_open():
        picture = _picture(photo["content"])
    page.paste(at, picture and _without_the_lost_part(picture), _CARD)
    if picture is None:
        page.write((x + 0.15, y + 0.15), _dump(photo["content"]), color=MUTED)
    path = wrapped(photo["path"], _CARD, 2, keep_end=True)
    reason = wrapped(photo["error"], _CARD, 3)
    y += _CARD + 0.08
    page.write((x, y), path)
    page.write((x, y + len(path) * LINE), reason, color=ACCENT)


def _columns(count: int, width: float, height: float) -> int:
    """Return how many columns of cells make a page of about 4 to 3."""
    return max(1, min(count, round(math.sqrt(count * height / width * 4 / 3))))


def _picture(content: object) -> Image.Image | None:
    if not isinstance(content, bytes | bytearray):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content)) as image:
                if image.width * image.height > _MAX_PIXELS:
                    return None
                # A JPEG decodes smaller at a fraction of the time and memory.
                image.draft("RGB", (round(DPI * _CARD), round(DPI * _CARD)))
                return image.convert("RGB")
    except Exception:  # decoders meet any bytes and raise nearly anything
        return None


@contextmanager
def _truncated_photos_open() -> Iterator[None]:
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _without_the_lost_part(picture: Image.Image) -> Image.Image:
    """Lighten the dull grey that a JPEG decoder leaves below the last bytes."""
    pixels = np.array(picture)
    lost = (pixels == _NOT_DECODED).all(axis=2)
    seen = np.flatnonzero(~lost.all(axis=1))
    # Above the first lost row, the blocks of one more row may be lost in part.
    whole = seen[-1] + 1 - _LARGEST_BLOCK if seen.size else 0
    lost[: max(0, whole)] = False
    pixels[lost] = ImageColor.getrgb(FAINT)
    return Image.fromarray(pixels)


def _dump(content: object) -> list[str]:
    if not isinstance(content, bytes | bytearray):
        return ["content not kept"]
    start = bytes(content[:24])
    codes = [start[i : i + 8].hex(" ") for i in range(0, len(start), 8)]
    letters = start.decode("ascii", "replace")
    text = "".join(char if char.isprintable() else "·" for char in letters)
    text = text.replace("\N{REPLACEMENT CHARACTER}", "·")
    size = counted(len(content), "byte")
    return [size, "", *codes, "", *wrapped(text, _CARD - 0.3, 2)]
