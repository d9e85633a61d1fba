"""Contact sheets: examples of each label, and rejected photos."""

import math
from collections.abc import Hashable, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from fruits_pipeline.imaging.canonical import DECODER_FAILURE
from fruits_pipeline.models.classifiers import distinct_text
from fruits_pipeline.reporting.decoding import decode, decode_rejected
from fruits_pipeline.reporting.pages import (
    DPI,
    LINE_HEIGHT,
    MARGIN,
    TOP,
    Page,
    text_width,
    wrap_text,
)
from fruits_pipeline.reporting.theme import ACCENT_COLOUR, GREY, NO_LABEL, count_text

# Lengths in inches.
_THUMBNAIL = 0.5
_MAX_NAME_WIDTH = 1.4
_CARD_WIDTH = 1.9
_CARD_HEIGHT = _CARD_WIDTH + 6.5 * LINE_HEIGHT
_PIXELS = round(DPI * _CARD_WIDTH)  # side of a decoded photo, in pixels

CANONICAL_MIB = 256
"""Memory for decoding a canonical photo, in MiB."""


def class_sheet(photos: pd.DataFrame, per_label: int, removed: int = 0) -> Figure:
    """Draw a row of example photos for each label.

    The rows are arranged in several columns. Labels are sorted; photos without a label
    come last, as "no label". A photo that cannot be decoded is a grey square.

    Args:
        photos: `label` (None if unknown) and `image` (an encoded photo of any size).
            The first photos of each label are drawn.
        per_label: Maximum number of photos per label, at least 1.
        removed: Number of further photos, whose content was removed.

    Returns:
        The figure; its size in inches grows with the number of labels.
    """
    labels = sorted(photos["label"].dropna().unique())
    rows = [(name, photos["image"][photos["label"] == name]) for name in labels]
    if photos["label"].isna().any():
        name = distinct_text(NO_LABEL, labels)
        rows.append((name, photos["image"][photos["label"].isna()]))
    longest = min(per_label, max((len(images) for _, images in rows), default=0))
    title = f"{count_text(len(labels), 'label')}, "
    title += f"up to {count_text(longest, 'photo')} each"
    if removed:
        title += f"; without {count_text(removed, 'photo')} whose content was removed"
    return _draw_rows(title, rows, longest)


def reject_sheet(
    rejects: pd.DataFrame, rejected: int, total: int, max_mib: int
) -> Figure:
    """Draw a card for each rejected photo, with its path and error.

    A truncated photo is drawn up to the truncation. Content that Pillow cannot open is
    drawn as a grey square with its size and first bytes.

    Args:
        rejects: Rejected photos to draw: `path`, `error` and `content` (bytes, empty, or
            missing).
        rejected: Number of all rejected photos.
        total: Number of all photos, including rejected ones.
        max_mib: Maximum memory for decoding a photo, in MiB.

    Returns:
        The figure; only a title if there are no rejected photos.
    """
    title = f"{rejected:,} of {count_text(total, 'photo')} rejected"
    if rejected > len(rejects):
        title += f", {len(rejects):,} of them shown"
    return _draw_cards(title, rejects.rename(columns={"error": "caption"}), max_mib)


def _draw_cards(title: str, cards: pd.DataFrame, max_mib: int) -> Figure:
    """Draw cards with `content`, `path` and `caption`."""
    step = _CARD_WIDTH + 0.25
    columns = column_count(len(cards), step, _CARD_HEIGHT)
    height = math.ceil(len(cards) / columns) * _CARD_HEIGHT
    page = Page(title, columns * step - 0.25, height)
    contents = [
        None if caption.startswith(DECODER_FAILURE) else content
        for content, caption in zip(cards["content"], cards["caption"], strict=True)
    ]
    photos = decode_rejected(contents, _PIXELS, max_mib)
    for i, (card, photo) in enumerate(
        zip(cards.to_dict("records"), photos, strict=True)
    ):
        row, column = divmod(i, columns)
        position = (MARGIN + column * step, TOP + row * _CARD_HEIGHT)
        _draw_card(page, position, card, photo)
    return page.to_figure()


def _draw_card(
    page: Page,
    position: tuple[float, float],
    card: dict[Hashable, Any],
    photo: Image.Image | None,
) -> None:
    x, y = position
    page.paste(position, photo, _CARD_WIDTH)
    if photo is None:
        page.write((x + 0.15, y + 0.15), _hex_dump(card["content"]), colour=GREY)
    path = wrap_text(card["path"], _CARD_WIDTH, 2, keep_end=True)
    caption = wrap_text(card["caption"], _CARD_WIDTH, 3)
    y += _CARD_WIDTH + 0.08
    page.write((x, y), path)
    page.write((x, y + len(path) * LINE_HEIGHT), caption, colour=ACCENT_COLOUR)


def _draw_rows(
    title: str, rows: Sequence[tuple[str, pd.Series]], longest: int
) -> Figure:
    """Draw rows of up to `longest` photos, each beside its name."""
    names = [wrap_text(name, _MAX_NAME_WIDTH, 3) for name, _ in rows]
    indent = 0.1 + max((text_width(line) for name in names for line in name), default=0)
    step, row_height, gap = _THUMBNAIL + 0.04, _THUMBNAIL + 0.07, 0.35
    width = indent + longest * step + gap
    per_column = math.ceil(len(rows) / column_count(len(rows), width, row_height))
    columns = math.ceil(len(rows) / max(1, per_column))
    page = Page(title, columns * width - gap, per_column * row_height)
    for i, (name, (_, images)) in enumerate(zip(names, rows, strict=True)):
        column, row = divmod(i, per_column)
        x, y = MARGIN + indent + column * width, TOP + row * row_height
        centred = y + (_THUMBNAIL - len(name) * LINE_HEIGHT) / 2
        page.write((x - 0.1, centred), name, align="right")
        for j, content in enumerate(images.head(longest)):
            photo = decode(content, _PIXELS, CANONICAL_MIB)
            page.paste((x + j * step, y), photo, _THUMBNAIL)
    return page.to_figure()


def column_count(cells: int, width: float, height: float) -> int:
    """Return the number of columns with which a page of cells has a ratio of about 4:3."""
    return max(1, min(cells, round(math.sqrt(cells * height / width * 4 / 3))))


def _hex_dump(content: object) -> list[str]:
    """Return the size of a file, and its first bytes as hexadecimal codes and text."""
    if not isinstance(content, bytes | bytearray):
        return ["content not available"]
    start = bytes(content[:24])
    codes = [start[i : i + 8].hex(" ") for i in range(0, len(start), 8)]
    letters = start.decode("ascii", "replace")
    text = "".join(char if char.isprintable() else "·" for char in letters)
    text = text.replace("\N{REPLACEMENT CHARACTER}", "·")
    size = count_text(len(content), "byte")
    return [size, "", *codes, "", *wrap_text(text, _CARD_WIDTH - 0.3, 2)]
