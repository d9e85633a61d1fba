import os
import re
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from fruits_pipeline.io.listing import (
    File,
    Origin,
    cut_parts,
    new_photos,
    origin,
    select_photos,
)

CONF = Path(__file__).parents[2] / "conf" / "base" / "parameters_ingest.yml"
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def ingest() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(CONF.read_text())["ingest"]
    return found


@pytest.fixture(scope="module")
def rules(ingest: dict[str, Any]) -> list[re.Pattern[str]]:
    return [re.compile(rule) for rule in ingest["path_rules"]]


def file(
    path: str, size: int = 10, at: datetime = NOON, etag: str | None = None
) -> File:
    return File(path, size, at, etag)


NOTHING = Origin()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        # Fruits-360: split, class, film
        ("Training/Apple Red 1/r_12_100.jpg", ("Apple Red 1", "Training", "/r")),
        ("Training/Apple Red 1/0_100.jpg", ("Apple Red 1", "Training", "/")),
        ("Test/Avocado ripe/r_100.jpg", ("Avocado ripe", "Test", "/r")),
        ("Test/Pepper/r2_7_100.jpg", ("Pepper", "Test", "/r2")),
        ("Validation/Kiwi/3_100.jpg", ("Kiwi", "Validation", "/")),
        ("a/b/c/Test/Apple Red 1/3_100.jpg", ("Apple Red 1", "Test", "/")),
        ("Training/fruits/Test/Kiwi/r_3_100.jpg", ("Kiwi", "Test", "/r")),
        # a split and a class, perhaps varieties
        ("train/Apple/Golden-Delicious/x_1.jpg", ("Apple", "train", None)),
        ("val/Banana/Banana_001.jpg", ("Banana", "val", None)),
        ("shops/2019/train/Apple/Gala/x.jpg", ("Apple", "train", None)),
        ("Training/Apple/IMG_0001.JPG", ("Apple", "Training", None)),
        ("Test/Apple/x_100.jpeg", ("Apple", "Test", None)),
        # a split only
        ("Test/x.jpg", (None, "Test", None)),
        ("fruits/Test/0_100.jpg", (None, "Test", None)),
        # a class only
        ("Apple/x.jpg", ("Apple", None, None)),
        ("Apple/0_100.jpg", ("Apple", None, None)),
        ("Testing/x.jpg", ("Testing", None, None)),
        # neither
        ("x.jpg", (None, None, None)),
        ("0_100.jpg", (None, None, None)),
    ],
)
def test_the_shipped_rules_read_label_split_and_series(
    path: str,
    expected: tuple[str | None, str | None, str | None],
    rules: list[re.Pattern[str]],
) -> None:
    label, split, film = expected
    series = None if film is None else f"{label}{film}"
    assert origin(path, rules) == Origin(label, split, series)


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
    ],
)
def test_a_label_is_kept_as_it_is_spelled(
    label: str, rules: list[re.Pattern[str]]
) -> None:
    for path in (f"Training/{label}/1_100.jpg", f"val/{label}/x.jpg", f"{label}/x.jpg"):
        assert origin(path, rules).label == label


def test_two_spellings_of_an_accent_are_one_label(rules: list[re.Pattern[str]]) -> None:
    one, two = "P\u00eache", "Pe\u0302che"
    assert one != two
    found = {origin(f"Training/{label}/r_1_100.jpg", rules) for label in (one, two)}
    assert found == {Origin(one, "Training", f"{one}/r")}


def test_films_of_two_fruits_are_two_series(rules: list[re.Pattern[str]]) -> None:
    paths = ["Training/Kiwi/0_100.jpg", "Training/Plum/0_100.jpg"]
    assert [origin(path, rules).series for path in paths] == ["Kiwi/", "Plum/"]


def test_frames_of_one_film_in_two_splits_are_one_series(
    rules: list[re.Pattern[str]],
) -> None:
    paths = ["Training/Kiwi/r_1_100.jpg", "Test/Kiwi/r_2_100.jpg"]
    assert {origin(path, rules).series for path in paths} == {"Kiwi/r"}


def test_a_rule_has_to_fit_the_whole_path() -> None:
    rule = re.compile("(?P<label>Apple)/")
    assert origin("Apple/x.jpg", [rule]) == NOTHING


def test_the_first_rule_that_fits_decides() -> None:
    rules = [re.compile("(?P<label>A).*"), re.compile("(?P<split>A).*")]
    assert origin("A/x.jpg", rules) == Origin(label="A")
    assert origin("A/x.jpg", rules[::-1]) == Origin(split="A")


def test_without_rules_there_are_no_labels() -> None:
    assert origin("Training/Apple/x.jpg", []) == NOTHING


@pytest.fixture(scope="module")
def shared() -> Path:
    if "FRUITS_SHARED" not in os.environ:
        pytest.skip("FRUITS_SHARED is not set: this needs the real photos")
    return Path(os.environ["FRUITS_SHARED"])


def jpegs(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*.jpg")]


@pytest.mark.parametrize("prefix", ["", "fruits-360/2017/"])
def test_every_photo_of_fruits_360_gets_its_folder_as_label(
    shared: Path, prefix: str, rules: list[re.Pattern[str]]
) -> None:
    found = Counter[str]()
    for path in jpegs(shared / "fruits-360"):
        split, label, name = path.split("/")
        film = "r" if name.startswith("r_") else ""
        expected = Origin(label, split, f"{label}/{film}")
        assert origin(prefix + path, rules) == expected
        found[split] += 1
    assert found == {"Training": 15_506, "Test": 5_195}


def test_every_photo_of_the_shops_gets_its_fruit_as_label(
    shared: Path, rules: list[re.Pattern[str]]
) -> None:
    paths = jpegs(shared / "grocery")
    for path in paths:
        split, label, *_ = path.split("/")
        assert origin(path, rules) == Origin(label, split, None)
    assert len(paths) == 1_253


def test_other_files_are_counted_and_left_out(ingest: dict[str, Any]) -> None:
    photos = [
        "A/x.jpg",
        "A/Y.JPG",
        "A/z.JpEg",
        "b.tar.png",
        "A.b/c d.webp",
        "Thumbs/q.gif",
    ]
    others = {
        "hidden": [".DS_Store", "A/.x.jpg", ".git/x.jpg", "__MACOSX/A/x.jpg"],
        ".db": ["A/Thumbs.db"],
        ".md": ["README.md"],
        ".jpg~": ["A/x.jpg~"],
        "no extension": ["A/jpg", "LICENSE", "a.jpg/b"],
        ".": ["A/x."],
    }
    listing = [file(p) for p in [*sum(others.values(), []), *photos]]
    found, left_out = select_photos(listing, ingest["extensions"])
    assert [photo.path for photo in found] == sorted(photos)
    assert left_out == {reason: len(paths) for reason, paths in others.items()}


def test_a_name_that_is_not_utf8_is_left_out_and_counted() -> None:
    listing = [file(os.fsdecode(b"A/\xff.jpg")), file("A/\u00ff.jpg"), file("A/🍎.jpg")]
    found, left_out = select_photos(listing, ["jpg"])
    assert [photo.path for photo in found] == ["A/\u00ff.jpg", "A/🍎.jpg"]
    assert left_out == {"name is not UTF-8": 1}


def test_one_name_in_every_folder_is_as_many_photos() -> None:
    listing = [file(f"{label}/0_100.jpg") for label in "CAB"]
    found, _ = select_photos(listing, ["jpg"])
    assert [photo.path for photo in found] == [f"{label}/0_100.jpg" for label in "ABC"]
    assert new_photos(found, {"A/0_100.jpg": found[0]}) == found[1:]


LATER = NOON + timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("held", "listed", "is_new"),
    [
        (file("x"), file("x"), False),
        (file("x"), file("x", size=11), True),
        (file("x"), file("x", at=LATER), True),
        (file("x", at=LATER), file("x"), True),
        (file("x", etag="a"), file("x", etag="a"), False),
        (file("x", etag="a"), file("x", etag="b"), True),
        (file("x", etag="a"), file("x", at=LATER, etag="a"), False),
        (file("x", etag="a"), file("x", size=11, etag="a"), True),
        (file("x", etag="a"), file("x", at=LATER), True),
        (file("x", etag="a"), file("x"), False),
        (file("x"), file("x", at=LATER, etag="a"), True),
    ],
)
def test_a_photo_is_new_if_its_size_or_version_differs(
    held: File, listed: File, is_new: bool
) -> None:
    assert new_photos([listed], {"x": held}) == ([listed] if is_new else [])


def test_a_photo_that_is_not_held_is_new() -> None:
    assert new_photos([file("x")], {}) == [file("x")]


def test_the_time_zone_of_a_time_does_not_make_a_photo_new() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5)))
    assert new_photos([file("x", at=elsewhere)], {"x": file("x")}) == []


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
def test_a_part_has_few_photos_and_few_bytes(
    sizes: list[int], lengths: list[int]
) -> None:
    files = [file(f"{i}.jpg", size) for i, size in enumerate(sizes)]
    cut = [*cut_parts(files, most_files=5, most_bytes=100)]
    assert [len(part) for part in cut] == lengths
    assert [one for part in cut for one in part] == files
