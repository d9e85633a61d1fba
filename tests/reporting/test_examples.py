import pandas as pd

from fruits_pipeline.reporting.examples import example_pairs, first_rows, shown_paths


def test_examples_are_of_different_groups_and_in_order() -> None:
    rows = pd.DataFrame({"label": ["a"] * 9 + ["b", None], "path": [*"0123456789x"]})
    assert [*first_rows(rows, 5, ["label"])["path"]] == ["0", "1", "2", "9", "x"]
    assert [*first_rows(rows, 7, ["label"])["path"]] == [*"01234", "9", "x"]
    assert len(first_rows(rows, 99, ["label"])) == 11
    assert not len(first_rows(rows.head(0), 5, ["label"]))


def table(*paths: str, **columns: object) -> pd.DataFrame:
    return pd.DataFrame({"path": paths, **columns})


PAIRS = table("a", "b", other_path=["c", "d"], label="x", other_label="x")
SUSPECTS = {"label": "x", "suggested_label": "y", "neighbour_1": "f"}


def test_pairs_across_splits_are_shown_first() -> None:
    pairs = PAIRS.assign(across_splits=[False, True])
    assert [*example_pairs(pairs, 1)["path"]] == ["b"]


def test_shown_paths_are_those_of_examples_and_of_the_whole_atlas() -> None:
    tables = {
        "near_duplicates": PAIRS.assign(across_splits=False),
        "suspect_labels": table("e", **SUSPECTS, neighbour_2="g", neighbour_3="h"),
        "outliers": table("i", "j", label="x"),
        "quality_issues": table("k", "l", "m", issue=["dark", "dark", "grey"]),
        "atlas": table("n", "o", "p"),
    }
    assert shown_paths(tables, 1) == {*"acefghikmnop"}
    assert shown_paths(tables, 0) == {*"nop"}
    empty = {name: rows.head(0) for name, rows in tables.items()}
    assert shown_paths(empty, 5) == set()
