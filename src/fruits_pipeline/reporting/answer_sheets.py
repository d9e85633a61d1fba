"""Contact sheets of wrong answers and refusals."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from fruits_pipeline.reporting.contact_sheets import CANONICAL_MIB, column_count
from fruits_pipeline.reporting.decoding import decode
from fruits_pipeline.reporting.pages import (
    DPI,
    LINE_HEIGHT,
    MARGIN,
    TOP,
    Page,
    wrap_text,
)
from fruits_pipeline.reporting.theme import ACCENT_COLOUR, GREY, count_text

# Lengths in inches.
_PHOTO = 1.45
_GAP = 0.06
_WIDTH = 2 * _PHOTO + _GAP
_STEP = _WIDTH + 0.35
_HEIGHT = _PHOTO + 7 * LINE_HEIGHT
_PIXELS = round(DPI * _PHOTO)


def wrong_sheet(shown: pd.DataFrame, wrong: int, answered: int) -> Figure:
    """Draw wrong answers, each with the most similar training photo.

    Args:
        shown: Answers to draw: `path`, `label`, `named`, `probability`, `image` (encoded),
            `nearest_path`, `nearest_label` and `nearest_image`.
        wrong: Number of all wrong answers.
        answered: Number of all answers but "unknown".

    Returns:
        The figure; only a title if there are no wrong answers.
    """
    title = f"{wrong:,} of {count_text(answered, 'answer')} wrong"
    captions = [
        f"answer: {named} ({p:.1%}); label: {label}"
        for named, p, label in _columns(shown, "named", "probability", "label")
    ]
    return _draw(_with_number(title, shown, wrong), shown, captions)


def refusal_sheet(
    shown: pd.DataFrame, refused: int, correct: int, total: int
) -> Figure:
    """Draw photos of learned labels whose answer is "unknown"; see `wrong_sheet`.

    Args:
        shown: Refusals to draw; also with `rank`.
        refused: Number of all refusals.
        correct: Number of refusals whose most probable label is correct.
        total: Number of all classified photos.
    """
    title = f"{refused:,} of {count_text(total, 'photo')} refused, "
    title += f"although {correct:,} most probable labels are correct"
    captions = [
        f"{'correct' if rank == 1 else 'wrong'}: {named} ({p:.1%}); label: {label}"
        for rank, named, p, label in _columns(
            shown, "rank", "named", "probability", "label"
        )
    ]
    return _draw(_with_number(title, shown, refused), shown, captions)


def _columns(rows: pd.DataFrame, *names: str) -> zip[tuple[object, ...]]:
    return zip(*(rows[name] for name in names), strict=True)


def _with_number(title: str, shown: pd.DataFrame, count: int) -> str:
    if count <= len(shown):
        return title
    return f"{title}; the {len(shown):,} most probable shown"


def _draw(title: str, shown: pd.DataFrame, captions: Sequence[str]) -> Figure:
    columns = column_count(len(shown), _STEP, _HEIGHT)
    height = math.ceil(len(shown) / columns) * _HEIGHT
    page = Page(title, max(0, columns * _STEP - 0.35), height)
    for i, (row, caption) in enumerate(
        zip(shown.to_dict("records"), captions, strict=True)
    ):
        y, x = divmod(i, columns)
        left, top = MARGIN + x * _STEP, TOP + y * _HEIGHT
        for j, name in enumerate(("image", "nearest_image")):
            photo = decode(row[name], _PIXELS, CANONICAL_MIB)
            page.paste((left + j * (_PHOTO + _GAP), top), photo, _PHOTO)
        top += _PHOTO + 0.08
        nearest = f"right: nearest training photo, {row['nearest_label']}"
        for text, colour, lines in (
            (caption, ACCENT_COLOUR, 3),
            (row["path"], GREY, 1),
            (nearest, GREY, 2),
        ):
            broken = wrap_text(text, _WIDTH, lines, keep_end=text == row["path"])
            page.write((left, top), broken, colour=colour)
            top += len(broken) * LINE_HEIGHT
    return page.to_figure()
