from collections.abc import Callable, Sequence

import pyarrow as pa
import pytest
import yaml
from factories import PROJECT

from fruits_pipeline.io.label_check import PathBlocks, label_warnings
from fruits_pipeline.io.listing import compile_rules, parse_path

FRUITS = ("apple", "fig", "pear")

Check = Callable[[Sequence[str]], list[str]]


@pytest.fixture(scope="module")
def rules() -> list[str]:
    file = PROJECT / "conf/base/parameters_ingest.yml"
    found: list[str] = yaml.safe_load(file.read_text())["ingest"]["path_rules"]
    return found


@pytest.fixture(scope="module")
def check(rules: list[str]) -> Check:
    def check(paths: Sequence[str]) -> list[str]:
        blocks = PathBlocks(len(paths))
        for i in range(0, len(paths), 30_000):
            blocks.add(pa.chunked_array([sorted(paths)[i : i + 30_000]], pa.string()))
        return [*label_warnings(blocks.paths, compile_rules(rules))]

    return check


def paths_of(*patterns: str, photos: int = 4) -> list[str]:
    """Return paths of each fruit; a pattern contains `{fruit}` and `{i}`."""
    return [
        pattern.format(fruit=fruit, i=i)
        for pattern in patterns
        for fruit in FRUITS
        for i in range(photos)
    ]


@pytest.mark.parametrize(
    "patterns",
    [
        ["{fruit}/{i}.jpg"],
        ["train/{fruit}/{i}.jpg", "test/{fruit}/{i}.jpg"],
        ["train/{fruit}/{i}.jpg", "test/{i}.jpg"],
        ["Fruits/2026/Training/{fruit}/{i}_100.jpg"],
        ["train/{fruit}/Golden/{i}.jpg"],
        ["{fruit}\n/{i}.jpg"],
    ],
)
def test_labels_of_common_layouts_are_accepted(
    check: Check, patterns: list[str]
) -> None:
    assert check(paths_of(*patterns)) == []


@pytest.mark.parametrize(
    ("patterns", "problem"),
    [
        (["{fruit}/train/{i}.jpg", "{fruit}/test/{i}.jpg"], "no label for 24 of 24"),
        (["all/{fruit}/Train/{i}.jpg"], "no label for 12 of 12"),
        (["{fruit}/images/train/{i}.jpg"], "no label for 12 of 12"),
        (["{fruit}_{i}.jpg"], "no label for 12 of 12"),
        (["Fruit-262/{fruit}/{i}.jpg"], "only the label 'Fruit-262' for 12"),
        (["x\ny/{fruit}/{i}.jpg"], r"only the label 'x\ny' for 12"),
        (["train/images/{fruit}{i}.jpg"], "only the label 'images' for 12"),
        (["train_set/{fruit}/{i}.jpg", "test_set/{fruit}/{i}.jpg"], "'test_set'"),
        (["dev/{fruit}/{i}.jpg", "eval/{fruit}/{i}.jpg"], "label(s) 'dev', 'eval'"),
        (["fold1/{fruit}/{i}.jpg", "fold2/{fruit}/{i}.jpg"], "'fold1', 'fold2'"),
        (["a/train_images/{fruit}/{i}.jpg", "a/test_images/{fruit}/{i}.jpg"], "'a'"),
        (["images/{fruit}/{i}.jpg", "raw/{fruit}/{i}.jpg"], "label(s) 'images', 'raw'"),
    ],
)
def test_wrong_labels_are_reported_with_a_rule_that_finds_the_right_ones(
    check: Check, rules: list[str], patterns: list[str], problem: str
) -> None:
    paths = paths_of(*patterns)
    warning, advice = check(paths)
    assert problem in warning
    assert "To find 3 labels" in advice
    assert "ingest.path_rules in parameters_ingest.yml" in advice
    suggested = advice.partition("- '")[2].partition("'\n")[0]
    changed = compile_rules([suggested, *rules])
    assert {parse_path(path, changed).label for path in paths} == {*FRUITS}


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("train/images/IMG_{n}.jpg", "only the label 'images' for 90"),
        ("images/train2017/{n}.jpg", "only the label 'images' for 90"),
        ("IMG_{n}.jpg", "no label for 90 of 90"),
        ("IMG_{n}/photo.jpg", "90 labels for 90 photo(s)"),
    ],
)
def test_no_rule_is_suggested_if_paths_contain_no_labels(
    check: Check, pattern: str, problem: str
) -> None:
    warning, advice = check([pattern.format(n=n) for n in range(90)])
    assert problem in warning
    assert "If they contain labels, change ingest.path_rules" in advice


def test_warning_shows_what_the_rules_find_in_three_paths(check: Check) -> None:
    warning, _ = check(paths_of("{fruit}/train/{i}.jpg"))
    assert warning.splitlines()[1:] == [
        "- 'apple/train/0.jpg': no label, split 'train', no series",
        "- 'fig/train/2.jpg': no label, split 'train', no series",
        "- 'pear/train/3.jpg': no label, split 'train', no series",
    ]


def test_single_photo_is_the_only_example(check: Check) -> None:
    warning, _ = check(["Kiwi/0.jpg"])
    assert warning.count("\n- ") == 1


def test_labels_that_differ_in_case_or_white_space_are_reported(check: Check) -> None:
    (warning,) = check([f"{label}/0.jpg" for label in ("Apple", "apple ", "Fig")])
    assert "'Apple' and 'apple '" in warning


def test_unlabelled_photos_in_folders_of_labels_are_reported(check: Check) -> None:
    paths = paths_of("{fruit}/{i}.jpg", photos=20) + ["apple/test/x.jpg"]
    (warning,) = check(paths)
    assert "1 photo(s) without a label in folders that are labels" in warning
    assert "'apple/test/x.jpg'" in warning


def test_many_photos_are_sampled(check: Check) -> None:
    paths = [f"all/{i % 262:03d}/{i:06d}.jpg" for i in range(200_000)]
    warning, advice = check(paths)
    assert "only the label 'all' for 20,000 photo(s) examined" in warning
    assert "To find 262 labels" in advice


def test_sample_of_many_labels_with_several_photos_is_accepted(check: Check) -> None:
    assert check([f"{i // 10:06d}/{i}.jpg" for i in range(200_000)]) == []


def test_no_photos_are_accepted(check: Check) -> None:
    assert check([]) == []
