"""Text that spreadsheet programs do not execute as a formula.

Paths and labels are chosen by whoever names the photos. Excel and LibreOffice execute a
cell of a CSV file that begins like a formula, also if it is quoted.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd

# The characters that OWASP lists ("CSV Injection"), with their full-width and small
# variants; spreadsheet programs skip spaces, quotes and invisible characters before them.
_FORMULA = re.compile(
    r"[\s'\"\x00-\x1f\u200b-\u200f\u2060\ufeff]*[\t\r\n=+\-@＝＋－＠﹦﹢﹣﹫−]"
)


def escape_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """Write `'` before every text that a spreadsheet program could execute."""
    return _map_text(table, escape_text)


def escape_text(text: str) -> str:
    """Write `'` before a text that a spreadsheet program could execute."""
    return f"'{text}" if _FORMULA.match(text) else text


def unescape_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table from which `escape_formulas` made this one."""
    return _map_text(
        table,
        lambda text: text[1:] if text[:1] == "'" and _FORMULA.match(text[1:]) else text,
    )


def _map_text(table: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    return table.map(lambda value: change(value) if isinstance(value, str) else value)
