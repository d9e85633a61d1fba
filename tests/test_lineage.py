from typing import Any

import pytest

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.lineage import (
    UNCHANGED,
    check_recipe,
    only_location_changed,
    recipe_changes,
    skip_if_unchanged,
)

OLD = {"preprocess.short_side": 256, "featurize.fit": "pad", "photos": "a"}
NEW = {"preprocess.short_side": 128, "featurize.fit": "crop", "photos": "a"}
MOVED = {**OLD, "photos": "b"}


def test_order_of_parameters_does_not_matter() -> None:
    assert recipe_changes({"a": 1, "b": [2]}, {"b": [2], "a": 1}) == []


def test_changes_are_sorted_by_name() -> None:
    old = {"b.size": 1, "a.fit": "pad", "c.same": 0, "d.gone": None}
    new = {"b.size": 2, "a.fit": "crop", "c.same": 0, "e.new": "x"}
    assert recipe_changes(old, new) == [
        "a.fit was 'pad', is 'crop'",
        "b.size was 1, is 2",
        "d.gone was None, is 'not set'",
        "e.new was 'not set', is 'x'",
    ]


@pytest.mark.parametrize("new", [NEW, MOVED])
def test_changed_recipe_is_accepted_for_a_rebuild(new: dict[str, Any]) -> None:
    check_recipe("data/images", OLD, new, "rebuild", "refuse")


def test_same_recipe_is_accepted() -> None:
    check_recipe("data/images", OLD, dict(reversed(OLD.items())), "refuse", "refuse")


@pytest.mark.parametrize("location", ["refuse", "accept"])
def test_error_states_the_changes_and_the_setting(location: Any) -> None:
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


def test_changed_location_is_refused_with_the_setting_that_accepts_it() -> None:
    with pytest.raises(
        FruitsError, match=r"photos in a; .* b.*changed_location=accept"
    ):
        check_recipe("data/images", OLD, MOVED, "refuse", "refuse")
    check_recipe("data/images", OLD, MOVED, "refuse", "accept")


@pytest.mark.parametrize(
    ("new", "expected"), [(OLD, False), (NEW, False), (MOVED, True), ({}, False)]
)
def test_changed_location_is_detected(new: dict[str, Any], expected: bool) -> None:
    assert only_location_changed(OLD, new) == expected


def test_node_with_unchanged_inputs_saves_nothing() -> None:
    node = skip_if_unchanged(lambda first, second: first + second)
    assert [*node(1, 2)] == [3]
    assert [*node(UNCHANGED, UNCHANGED)] == []
