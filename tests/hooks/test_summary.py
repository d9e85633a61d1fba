import pytest

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.hooks.summary import check_counts

SUMMARY = {
    "files": 20,
    "left_out": {".txt": 4, "system file": 1},
    "photos_listed": 15,
    "photos": 17,
    "gone": 2,
    "features": 14,
    "rejected": 3,
}


def test_counts_that_add_up_are_accepted() -> None:
    check_counts(SUMMARY)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"files": 21}, "files = 21, photos_listed + left_out = 20;"),
        ({"left_out": {}}, "files = 20, photos_listed + left_out = 15;"),
        ({"gone": 1}, "photos = 17, photos_listed + gone = 16;"),
        ({"features": 13}, "photos = 17, features + rejected = 16;"),
        ({"rejected": 4}, "photos = 17, features + rejected = 18;"),
        ({"photos": 16}, "gone = 17; photos = 16, features + rejected = 17;"),
    ],
)
def test_counts_that_differ_are_an_error(
    change: dict[str, object], message: str
) -> None:
    with pytest.raises(FruitsError) as caught:
        check_counts(SUMMARY | change)
    assert message in str(caught.value)
