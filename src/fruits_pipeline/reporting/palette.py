"""Colours of labels, which are the same in all pictures of a page."""

from __future__ import annotations

from collections.abc import Iterable
from colorsys import hls_to_rgb

import pandas as pd

NO_LABEL_COLOUR = "#8a8f98"

_GOLDEN_ANGLE = 0.381966  # of a turn: successive hues are far apart
_TONES = ((0.50, 0.62), (0.65, 0.58), (0.40, 0.52))
"""Lightness and saturation that are legible on white and on black, in turn."""


def label_colours(labels: Iterable[str]) -> dict[str, str]:
    """Return a colour `#rrggbb` of each label, by sorted label."""
    return {label: _colour(i) for i, label in enumerate(sorted({*labels}))}


def colours_of(labels: pd.Series) -> list[str]:
    """Return the colour of each photo; grey for photos without a label."""
    colours = label_colours(labels.dropna())
    return [colours.get(label, NO_LABEL_COLOUR) for label in labels]


def _colour(number: int) -> str:
    lightness, saturation = _TONES[number % len(_TONES)]
    rgb = hls_to_rgb((0.99 + number * _GOLDEN_ANGLE) % 1, lightness, saturation)
    return "#" + "".join(f"{round(255 * part):02x}" for part in rgb)
