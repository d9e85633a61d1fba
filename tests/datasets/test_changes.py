import pytest

from fruits_pipeline.datasets.changes import accept_change
from fruits_pipeline.errors import FruitsError

OLD = {"preprocess.short_side": 256, "featurize.fit": "pad"}
NEW = {"preprocess.short_side": 128, "featurize.fit": "crop"}


def test_the_same_recipe_passes() -> None:
    accept_change("data/images", OLD, dict(reversed(OLD.items())), "refuse")


def test_another_recipe_passes_where_it_may_rebuild() -> None:
    accept_change("data/images", OLD, NEW, "rebuild")


def test_another_recipe_is_refused_with_what_changed_and_how_to_accept_it() -> None:
    with pytest.raises(FruitsError) as caught:
        accept_change("data/images", OLD, NEW, "refuse")
    first, *changes, last = str(caught.value).splitlines()
    assert "data/images" in first
    assert changes == [
        "- featurize.fit was 'pad', is 'crop'",
        "- preprocess.short_side was 256, is 128",
    ]
    assert "--params changed_recipe=rebuild" in last
