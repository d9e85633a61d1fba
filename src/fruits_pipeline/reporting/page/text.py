"""Sentences and numbers for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from fruits_pipeline.reporting.theme import count_text

_MINUTE = 60


def percent(share: float | None, digits: int = 0) -> str:
    """Return a share between 0 and 1 as a percentage; a dash for none.

    Shares that are not 0 or 1 are not rounded to 0 % or 100 %.
    """
    if share is None:
        return "–"
    text = f"{100 * share:.{digits}f}\N{NO-BREAK SPACE}%"
    smallest = 10**-digits
    if share > 0 and float(text[:-2]) == 0:
        return f"below {smallest:g}\N{NO-BREAK SPACE}%"
    if share < 1 and float(text[:-2]) == 100:  # noqa: PLR2004 - per cent
        return f"above {100 - smallest:g}\N{NO-BREAK SPACE}%"
    return text


def seconds(duration: float) -> str:
    """Return a duration, such as `0.4 s`, `12 s` and `3 min 5 s`."""
    if duration < 10:  # noqa: PLR2004 - two digits
        return f"{duration:.1f} s"
    minutes, rest = divmod(round(duration), _MINUTE)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def have(number: int) -> str:
    """Return the verb of a number of things."""
    return "has" if number == 1 else "have"


def listing(parts: Sequence[str]) -> str:
    """Return `a`, `a and b` or `a, b and c`."""
    *first, last = parts or [""]
    return f"{', '.join(first)} and {last}" if first else last


def sample_of(number: int, of: int | None) -> str:
    """Return a number of photos, and of how many they are a sample, if they are one."""
    return photos(number) + (f" (a sample of {of:,})" if of and of > number else "")


def photos(number: int) -> str:
    """Return `1 photo` or `1,280 photos`."""
    return count_text(number, "photo")


def embed(value: Any) -> str:
    """Return JSON that is safe inside a `script` element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    escapes = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
    return text.translate({ord(char): escape for char, escape in escapes.items()})
