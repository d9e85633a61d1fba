import base64
import io

from page_results import picture
from PIL import Image

from fruits_pipeline.reporting.page.sprites import CELL, sheet, sprite


def opened(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


def test_thumbnails_are_drawn_row_by_row() -> None:
    uri, side = sprite([picture(1), None, picture(2)], 2)
    assert (side, opened(uri).size) == (CELL, (2 * CELL, 2 * CELL))


def test_large_atlas_has_smaller_cells() -> None:
    uri, side = sprite([None] * 10_000, 100)
    assert (side, opened(uri).size) == (40, (4000, 4000))


def test_sheet_is_scaled_down() -> None:
    content = io.BytesIO()
    Image.new("RGBA", (3200, 1000)).save(content, "PNG")
    assert opened(sheet(content.getvalue())).size == (1600, 500)
