import pwd
from pathlib import Path

import pytest

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.locations import read_location


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("HOME", str(tmp_path))
    return str(tmp_path)


@pytest.mark.parametrize(
    ("value", "expected"), [("~", ""), ("~/", ""), ("~/my photos", "/my photos")]
)
def test_tilde_is_the_home_folder(value: str, expected: str, home: str) -> None:
    assert read_location("photos", value) == home + expected


def test_tilde_with_a_name_is_the_home_folder_of_that_user() -> None:
    home = pwd.getpwnam("root").pw_dir
    assert read_location("root", "~root/out") == f"{home}/out"


@pytest.mark.parametrize(
    "value",
    ["a", "./~", "a/~/b", "/a", "/", "s3://bucket", "s3://b/~/x", "s3:/x"],
)
def test_other_locations_are_unchanged(value: str) -> None:
    assert read_location("root", value) == value


@pytest.mark.parametrize("prefix", ["file:/", "file://", "file:///"])
def test_file_url_is_a_path(prefix: str) -> None:
    assert read_location("root", f"{prefix}a b/c/") == "/a b/c"


@pytest.mark.parametrize("value", ["a", "/a", "s3://bucket", "s3://bucket/a b"])
@pytest.mark.parametrize("slashes", ["/", "//"])
def test_trailing_slashes_are_removed(value: str, slashes: str) -> None:
    assert read_location("root", value + slashes) == value


@pytest.mark.parametrize("value", [2024, 7, 1e3, True, False, ["a"], {"a": None}])
def test_value_that_is_not_text_is_rejected(value: object) -> None:
    with pytest.raises(FruitsError) as caught:
        read_location("photos", value)
    assert f"photos: found {value!r} (" in str(caught.value)
    assert "./2024" in str(caught.value)


@pytest.mark.parametrize("value", [None, ""])
def test_missing_location_is_rejected(value: object) -> None:
    with pytest.raises(FruitsError, match="root: found nothing; expected a folder"):
        read_location("root", value)


def test_home_of_an_unknown_user_is_rejected() -> None:
    with pytest.raises(FruitsError, match="found ~no-such-user/out, but no home"):
        read_location("root", "~no-such-user/out")
