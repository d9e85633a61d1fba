import io

import numpy as np
import pandas as pd
from PIL import Image, ImageColor

from fruits_pipeline.reporting.atlas_picture import atlas_picture
from fruits_pipeline.reporting.palette import NO_LABEL_COLOUR, label_colours

ATLAS = pd.DataFrame(
    [("a.jpg", "Fig", 0, 0), ("b.jpg", "Kiwi", 0, 1), ("c.jpg", None, 1, 0)],
    columns=["path", "label", "row", "column"],
)


def green_thumbnail() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (30, 20), (0, 160, 0)).save(content, "PNG")
    return content.getvalue()


def test_photos_are_framed_in_the_colour_of_their_label() -> None:
    picture = atlas_picture(ATLAS, {"a.jpg": green_thumbnail()})
    cell = picture.width // 2
    assert picture.size == (2 * cell, 2 * cell)
    colours = {**label_colours(["Fig", "Kiwi"]), None: NO_LABEL_COLOUR}
    for label, row, column in ATLAS[["label", "row", "column"]].itertuples(index=False):
        middle_of_top = (column * cell + cell // 2, row * cell + 2)
        expected = (*ImageColor.getrgb(colours[label]), 255)
        assert picture.getpixel(middle_of_top) == expected
    assert picture.getpixel((cell // 2, cell // 2)) == (0, 160, 0, 255)


def test_gaps_and_empty_cells_are_transparent() -> None:
    alpha = np.asarray(atlas_picture(ATLAS, {}))[..., 3]
    half = len(alpha) // 2
    assert not alpha[0].any()
    assert not alpha[half:, half:].any()


def test_atlas_without_photos_is_a_picture() -> None:
    assert atlas_picture(ATLAS.head(0), {}).getextrema()[3] == (0, 0)


def test_colours_of_labels_differ() -> None:
    assert len({*label_colours(map(str, range(100))).values()}) == 100
