import pytest
from factories import jpeg

from fruits_pipeline.imaging.canonical import decode
from fruits_pipeline.imaging.thumbnails import thumbnail


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((256, 256), (96, 96)),
        ((300, 256), (96, 82)),
        ((50, 20), (50, 20)),
        ((1, 1), (1, 1)),
        ((1000, 2), (96, 1)),
    ],
)
def test_longer_side_is_limited(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    photo = decode(thumbnail(jpeg(1, size=size), 96))
    assert photo.shape == (*expected[::-1], 3)


def test_thumbnail_looks_like_the_photo() -> None:
    image = jpeg(1, size=(192, 192))
    difference = decode(thumbnail(image, 96)).mean((0, 1)) - decode(image).mean((0, 1))
    assert abs(difference).max() < 3
