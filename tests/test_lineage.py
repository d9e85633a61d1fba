from typing import Any

import pytest

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.lineage import (
    UNCHANGED,
    check_recipe,
    differences,
    only_moved,
    when_changed,
)

OLD = {"preprocess.short_side": 256, "featurize.fit": "pad", "photos": "a"}
NEW = {"preprocess.short_side": 128, "featurize.fit": "crop", "photos": "a"}
MOVED = {**OLD, "photos": "b"}


def test_equal_recipes_do_not_differ_whatever_their_order() -> None:
    assert differences({"a": 1, "b": [2]}, {"b": [2], "a": 1}) == []


def test_differences_are_listed_by_name() -> None:
    old = {"b.size": 1, "a.fit": "pad", "c.same": 0, "d.gone": None}
    new = {"b.size": 2, "a.fit": "crop", "c.same": 0, "e.new": "x"}
    assert differences(old, new) == [
        "a.fit was 'pad', is 'crop'",
        "b.size was 1, is 2",
        "d.gone was None, is 'not set'",
        "e.new was 'not set', is 'x'",
    ]


@pytest.mark.parametrize("new", [NEW, MOVED])
def test_a_recipe_that_may_be_rebuilt_is_accepted(new: dict[str, Any]) -> None:
    check_recipe("data/images", OLD, new, "rebuild", "refuse")


def test_the_same_recipe_is_accepted() -> None:
    check_recipe("data/images", OLD, dict(reversed(OLD.items())), "refuse", "refuse")


@pytest.mark.parametrize("location", ["refuse", "accept"])
def test_another_recipe_is_refused_with_the_changes_and_the_setting(
    location: Any,
) -> None:
    with pytest.raises(FruitsError) as caught:
        check_recipe("data/images", OLD, {**NEW, "photos": "b"}, "refuse", location)
    first, *changes, last = str(caught.value).splitlines()
    assert "data/images" in first
    assert changes == [
        "- featurize.fit was 'pad', is 'crop'",
        "- photos was 'a', is 'b'",
        "- preprocess.short_side was 256, is 128",
    ]
    assert "--params changed_recipe=rebuild" in last


def test_another_location_is_refused_with_the_setting_that_accepts_it() -> None:
    with pytest.raises(
        FruitsError, match=r"photos in a; .* b.*changed_location=accept"
    ):
        check_recipe("data/images", OLD, MOVED, "refuse", "refuse")
    check_recipe("data/images", OLD, MOVED, "refuse", "accept")


@pytest.mark.parametrize(
    ("new", "moved"), [(OLD, False), (NEW, False), (MOVED, True), ({}, False)]
)
def test_photos_have_moved_if_nothing_else_changed(
    new: dict[str, Any], moved: bool
) -> None:
    assert only_moved(OLD, new) == moved


def test_a_node_with_unchanged_inputs_saves_nothing() -> None:
    node = when_changed(lambda first, second: first + second)
    assert [*node(1, 2)] == [3]
    assert [*node(UNCHANGED, UNCHANGED)] == []
