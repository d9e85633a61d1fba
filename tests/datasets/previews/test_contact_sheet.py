import base64
import io

import numpy as np
from factories import jpeg
from PIL import Image

from fruits_pipeline.datasets.previews.contact_sheet import (
    MAX_BYTES,
    PHOTOS,
    Shown,
    canonical_sheet,
    photo_sheet,
    text_image,
    within_budget,
)


def opaque(preview: str) -> np.ndarray:
    """Return which pixels of a preview are drawn."""
    picture = Image.open(io.BytesIO(base64.b64decode(preview)))
    assert picture.format == "PNG"
    return np.asarray(picture.convert("RGBA"))[..., 3] > 0


def test_sheet_has_photos_on_a_transparent_background() -> None:
    shown = [Shown(f"Kiwi {i}", jpeg(i)) for i in range(PHOTOS)]
    one = opaque(canonical_sheet(shown[:1])).mean()
    full = opaque(canonical_sheet(shown)).mean()
    assert 0 < one < full < 1
    assert full > 10 * one


def test_photo_that_cannot_be_decoded_is_an_empty_frame() -> None:
    drawn = opaque(photo_sheet([Shown("torn", b"no photo")]))
    assert 0 < drawn.mean() < 0.01


def test_caption_of_any_length_and_script_stays_below_its_photo() -> None:
    captions = ["x" * 300, "", "W W\nW " * 40, "\u2603\U0001f34e", "\udc80"]
    drawn = opaque(canonical_sheet([Shown(text, b"") for text in captions]))
    gaps = drawn[:, 140::140]
    assert not gaps[:, 0].any()


def test_text_is_an_image_of_the_same_size() -> None:
    text, sheet = opaque(text_image("Nothing is stored. " * 9)), opaque(photo_sheet([]))
    assert text.any()
    assert text.shape == sheet.shape


def test_photos_are_limited_by_their_size() -> None:
    sizes = [MAX_BYTES, 1, 2 * MAX_BYTES, 3]
    assert within_budget(sizes, lambda size: size) == [1, 3]
    assert within_budget(sizes[2:3], lambda size: size) == [2 * MAX_BYTES]
    assert within_budget([], len) == []
