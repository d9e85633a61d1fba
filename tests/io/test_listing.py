import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from factories import PROJECT

from fruits_pipeline.io.listing import (
    PathLabels,
    compile_rules,
    parse_path,
    split_into_parts,
)


@pytest.fixture(scope="module")
def ingest() -> dict[str, Any]:
    file = PROJECT / "conf/base/parameters_ingest.yml"
    found: dict[str, Any] = yaml.safe_load(file.read_text())["ingest"]
    return found


@pytest.fixture(scope="module")
def rules(ingest: dict[str, Any]) -> list[re.Pattern[str]]:
    return compile_rules(ingest["path_rules"])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        # Fruits-360: split, label and series
        ("Training/Apple Red 1/r_12_100.jpg", ("Apple Red 1", "Training", "/r")),
        ("Training/Apple Red 1/0_100.jpg", ("Apple Red 1", "Training", "/")),
        ("Test/Avocado ripe/r_100.jpg", ("Avocado ripe", "Test", "/r")),
        ("Test/Pepper/r2_7_100.jpg", ("Pepper", "Test", "/r2")),
        ("Validation/Kiwi/3_100.jpg", ("Kiwi", "Validation", "/")),
        ("a/b/c/Test/Apple Red 1/3_100.jpg", ("Apple Red 1", "Test", "/")),
        ("Training/fruits/Test/Kiwi/r_3_100.jpg", ("Kiwi", "Test", "/r")),
        # split and label, with or without varieties
        ("train/Apple/Golden-Delicious/x_1.jpg", ("Apple", "train", None)),
        ("val/Banana/Banana_001.jpg", ("Banana", "val", None)),
        ("shops/2019/train/Apple/Gala/x.jpg", ("Apple", "train", None)),
        ("Training/Apple/IMG_0001.JPG", ("Apple", "Training", None)),
        ("Test/Apple/x_100.jpeg", ("Apple", "Test", None)),
        # split only
        ("Test/x.jpg", (None, "Test", None)),
        ("fruits/Test/0_100.jpg", (None, "Test", None)),
        # label only
        ("Apple/x.jpg", ("Apple", None, None)),
        ("Apple/0_100.jpg", ("Apple", None, None)),
        ("Testing/x.jpg", ("Testing", None, None)),
        # neither
        ("x.jpg", (None, None, None)),
        ("0_100.jpg", (None, None, None)),
    ],
)
def test_default_rules_extract_label_split_and_series(
    path: str,
    expected: tuple[str | None, str | None, str | None],
    rules: list[re.Pattern[str]],
) -> None:
    label, split, suffix = expected
    series = None if suffix is None else f"{label}{suffix}"
    assert parse_path(path, rules) == PathLabels(label, split, series)


@pytest.mark.parametrize(
    "label",
    [
        "Passion Fruit",
        "Passion%20Fruit",
        "Pêche",
        "🍎",
        "a+b",
        "#1",
        "桃",
        "100 %",
        " x ",
        "new\nline",
        "\n",
        "a\r\nb\x85\u2028c",
        "tab\t",
        "None",
        "nan",
        "01",
        "unknown",
        "$HOME",
        "~",
    ],
)
def test_label_keeps_its_spelling(label: str, rules: list[re.Pattern[str]]) -> None:
    name = f"{label}x.jpg"
    for path in (
        f"Training/{label}/1_100.jpg",
        f"val/{label}/{name}",
        f"{label}/{name}",
        f"{label}/{label}/{name}",
        f"{label}/val/{label}/{name}",
    ):
        assert parse_path(path, rules).label == label


def test_labels_are_normalised_to_nfc(rules: list[re.Pattern[str]]) -> None:
    composed, decomposed = "P\u00eache", "Pe\u0302che"
    assert composed != decomposed
    paths = [f"Training/{label}/r_1_100.jpg" for label in (composed, decomposed)]
    expected = PathLabels(composed, "Training", f"{composed}/r")
    assert {parse_path(path, rules) for path in paths} == {expected}


def test_series_of_different_labels_differ(rules: list[re.Pattern[str]]) -> None:
    paths = ["Training/Kiwi/0_100.jpg", "Training/Plum/0_100.jpg"]
    assert [parse_path(path, rules).series for path in paths] == ["Kiwi/", "Plum/"]


def test_series_may_span_splits(rules: list[re.Pattern[str]]) -> None:
    paths = ["Training/Kiwi/r_1_100.jpg", "Test/Kiwi/r_2_100.jpg"]
    assert {parse_path(path, rules).series for path in paths} == {"Kiwi/r"}


def test_rule_must_match_the_complete_path() -> None:
    rule = re.compile("(?P<label>Apple)/")
    assert parse_path("Apple/x.jpg", [rule]) == PathLabels()


@pytest.mark.parametrize(
    "path", ["/Pear/x.jpg", "Pear//x.jpg", "//train//Pear///x.jpg", "Pear/x//y.jpg"]
)
def test_empty_components_of_a_key_are_ignored(
    path: str, rules: list[re.Pattern[str]]
) -> None:
    assert parse_path(path, rules).label == "Pear"


def test_empty_group_counts_as_absent() -> None:
    rules = compile_rules(["(?P<split>[^/]*?)(?P<label>[^/]*?)(?P<series>[^/]*)"])
    assert parse_path("x.jpg", rules) == PathLabels()


def test_first_matching_rule_is_used() -> None:
    rules = [re.compile("(?P<label>A).*"), re.compile("(?P<split>A).*")]
    assert parse_path("A/x.jpg", rules) == PathLabels(label="A")
    assert parse_path("A/x.jpg", rules[::-1]) == PathLabels(split="A")


def test_no_rules_yield_no_labels() -> None:
    assert parse_path("Training/Apple/x.jpg", []) == PathLabels()


def jpegs(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*.jpg")]


@pytest.mark.parametrize("prefix", ["", "fruits-360/2017/"])
def test_label_of_fruits_360_is_the_folder(
    shared: Path, prefix: str, rules: list[re.Pattern[str]]
) -> None:
    found = Counter[str]()
    for path in jpegs(shared / "fruits-360"):
        split, label, name = path.split("/")
        group = "r" if name.startswith("r_") else ""
        expected = PathLabels(label, split, f"{label}/{group}")
        assert parse_path(prefix + path, rules) == expected
        found[split] += 1
    assert found == {"Training": 15_506, "Test": 5_195}


def test_grocery_label_is_the_fruit(shared: Path, rules: list[re.Pattern[str]]) -> None:
    paths = jpegs(shared / "grocery")
    for path in paths:
        split, label, *_ = path.split("/")
        assert parse_path(path, rules) == PathLabels(label, split, None)
    assert len(paths) == 1_253


@pytest.mark.parametrize(
    ("sizes", "lengths"),
    [
        ([], [0]),
        ([10, 10, 10], [3]),
        ([50, 50, 1], [2, 1]),
        ([99, 99, 99], [1, 1, 1]),
        ([1, 500, 1], [1, 1, 1]),
        ([500], [1]),
        ([0, 0, 100, 0], [4]),
        ([60, 30, 30, 30, 30, 30], [2, 3, 1]),
        ([1] * 12, [5, 5, 2]),
        ([1] * 10, [5, 5]),
        ([0, 100, 0, 0, 0, 0, 1], [5, 2]),
    ],
)
def test_parts_limit_files_and_bytes(sizes: list[int], lengths: list[int]) -> None:
    parts = [sizes[p] for p in split_into_parts(sizes, max_files=5, max_bytes=100)]
    assert [len(part) for part in parts] == lengths
    assert sum(parts, []) == sizes
