import io
import warnings

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image, ImageFile

from fruits_pipeline.reporting.contact_sheets import class_sheet, reject_sheet
from fruits_pipeline.reporting.pages import text_width, wrapped

Mask = NDArray[np.bool_]
RED, BLUE = (200, 20, 30), (20, 30, 200)


def photo(
    color: tuple[int, int, int] = RED, size: tuple[int, int] = (100, 100)
) -> bytes:
    """Return a JPEG of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, "JPEG", quality=95)
    return file.getvalue()


def noisy_photo() -> bytes:
    """Return a JPEG whose bytes are spread evenly over its height."""
    pixels = np.random.default_rng(7).integers(0, 90, (320, 320, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95)
    return file.getvalue()


def photos(*rows: tuple[str | None, bytes]) -> pd.DataFrame:
    """Return photos with their labels."""
    return pd.DataFrame(rows, columns=["label", "image"])


def rejects(*contents: bytes | None, path: str = "a/b.jpg") -> pd.DataFrame:
    """Return a reject of each content."""
    rows = [(path, "cannot be decoded", content) for content in contents]
    return pd.DataFrame(rows, columns=["path", "error", "content"])


def drawn(figure: Figure) -> np.ndarray:
    """Return the picture of a figure, its RGB pixels."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(file, format="png")
    return np.asarray(Image.open(file).convert("RGB"))


def texts(figure: Figure) -> list[str]:
    """Return what is written on a sheet, line by line."""
    return [text.get_text() for text in figure.axes[0].texts]


def runs(line: Mask) -> int:
    """Count the stretches of true values."""
    return int(np.count_nonzero(np.diff(np.r_[0, line.astype(int)]) == 1))


def of_color(picture: np.ndarray, color: tuple[int, int, int]) -> Mask:
    """Return which pixels have about this colour."""
    far = np.abs(picture.astype(int) - color).max(axis=2)
    return np.asarray(far < 25)


def test_a_row_has_no_more_photos_than_asked_for() -> None:
    sheet = class_sheet(photos(*[("Fig", photo())] * 7), 4)
    assert runs(np.asarray(of_color(drawn(sheet), RED).any(axis=0))) == 4


def test_each_label_has_its_row_beside_its_name() -> None:
    sheet = class_sheet(photos(("Kiwi", photo(BLUE)), ("Fig", photo(RED))), 3)
    assert texts(sheet) == ["2 labels, up to 1 photo each", "Fig", "Kiwi"]
    picture = drawn(sheet)
    first = np.flatnonzero(of_color(picture, RED).any(axis=1))
    second = np.flatnonzero(of_color(picture, BLUE).any(axis=1))
    assert first[-1] < second[0]


def test_photos_without_label_come_last() -> None:
    sheet = class_sheet(photos((None, photo()), ("Zucchini", photo())), 3)
    assert texts(sheet) == ["1 label, up to 1 photo each", "Zucchini", "no label"]


@pytest.mark.parametrize("count", [33, 200])
def test_many_labels_flow_into_columns_on_a_handy_page(count: int) -> None:
    image = photo(size=(20, 20))
    rows = [(f"Apple {i:03}", image) for i in range(count) for _ in range(8)]
    width, height = class_sheet(photos(*rows), 8).get_size_inches()
    assert 0.75 < width / height < 2
    assert width < 40


@pytest.mark.parametrize("size", [(350, 20), (20, 350), (1, 1), (300, 1)])
def test_a_photo_of_any_aspect_stays_in_its_square(size: tuple[int, int]) -> None:
    sheet = class_sheet(photos(("Fig", photo(RED, size)), ("Fig", photo(BLUE))), 2)
    picture = drawn(sheet)
    red, square = of_color(picture, RED), of_color(picture, BLUE)
    assert red.any()
    assert np.flatnonzero(red.any(axis=0))[-1] < np.flatnonzero(square.any(axis=0))[0]
    assert not red[~square.any(axis=1)].any()


@pytest.mark.parametrize(
    ("label", "written"),
    [
        ("Crème brûlée", "Crème brûlée"),
        ("e\u0301te\u0301", "été"),
        ("🍎 apple", "□ apple"),
        ("$x$ and $y", "$x$ and $y"),
        ("two\nlines\t", "two lines"),
        ("%20_{a}^b \\frac", "%20_{a}^b \\frac"),
    ],
)
def test_any_label_is_drawn_without_a_warning(label: str, written: str) -> None:
    sheet = class_sheet(photos((label, photo())), 2)
    drawn(sheet)
    assert " ".join(texts(sheet)[1:]) == written


def test_a_label_of_blanks_is_drawn() -> None:
    assert of_color(drawn(class_sheet(photos((" ", photo())), 2)), RED).any()


def test_an_undecodable_photo_leaves_a_grey_square() -> None:
    sheet = class_sheet(photos(("Fig", b"broken"), ("Fig", photo())), 2)
    assert of_color(drawn(sheet), (228, 228, 228)).any()


def test_a_class_sheet_without_photos_says_so() -> None:
    sheet = class_sheet(photos(), 8)
    drawn(sheet)
    assert texts(sheet) == ["0 labels, up to 0 photos each"]


def test_the_title_counts_rejects_and_photos() -> None:
    sheet = reject_sheet(rejects(b"x", b"y"), 2, 20701)
    assert texts(sheet)[0] == "2 of 20,701 photos rejected"


def test_the_title_says_when_not_all_rejects_are_shown() -> None:
    sheet = reject_sheet(rejects(b"x", b"y"), 1312, 20701)
    assert texts(sheet)[0] == "1,312 of 20,701 photos rejected, 2 of them shown"


def test_without_rejects_the_sheet_says_so() -> None:
    sheet = reject_sheet(rejects(), 0, 20701)
    drawn(sheet)
    assert texts(sheet) == ["0 of 20,701 photos rejected"]


def test_the_upper_part_of_a_truncated_photo_is_shown() -> None:
    content = noisy_photo()
    picture = drawn(reject_sheet(rejects(content[: len(content) // 2]), 1, 9))
    rows = np.flatnonzero((picture.max(axis=2) < 110).mean(axis=1) > 0.4)
    lost = np.flatnonzero((picture == 228).all(axis=2).mean(axis=1) > 0.4)
    assert 60 < len(rows) < 160
    assert lost[0] >= rows[-1]


def test_the_setting_for_truncated_photos_is_put_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for before in (False, True):
        monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", before)
        reject_sheet(rejects(noisy_photo()[:9000], b"\xff\xd8\xff"), 2, 9)
        assert ImageFile.LOAD_TRUNCATED_IMAGES is before


def test_bytes_that_are_no_photo_are_shown_as_bytes() -> None:
    sheet = reject_sheet(rejects(b"<html>\x00\xff"), 1, 9)
    drawn(sheet)
    assert {"8 bytes", "3c 68 74 6d 6c 3e 00 ff", "<html>··"} <= set(texts(sheet))


@pytest.mark.parametrize(("content", "said"), [(b"", "0 bytes"), (None, "not kept")])
def test_a_reject_without_bytes_has_its_card(content: bytes | None, said: str) -> None:
    sheet = reject_sheet(rejects(content), 1, 9)
    assert any(said in text for text in texts(sheet))
    assert {"a/b.jpg", "cannot be decoded"} <= set(texts(sheet))


def test_a_photo_of_too_many_pixels_is_not_decoded() -> None:
    file = io.BytesIO()
    Image.new("1", (10_001, 10_000)).save(file, "PNG")
    sheet = reject_sheet(rejects(file.getvalue()), 1, 9)
    assert any(text.endswith("bytes") for text in texts(sheet))


def test_a_long_path_keeps_its_file_name() -> None:
    sheet = reject_sheet(rejects(b"x", path="folder/" * 40 + "photo_7.jpg"), 1, 9)
    path = "".join(texts(sheet)[-3:-1])
    assert path.startswith("…")
    assert path.endswith("folder/photo_7.jpg")


def test_forty_cards_and_their_text_stay_on_the_page() -> None:
    sheet = reject_sheet(rejects(*[b"\x00" * 99] * 40, path="WM/" * 50), 40, 99)
    picture = drawn(sheet)
    edges = [picture[:20], picture[-20:], picture[:, :20], picture[:, -20:]]
    assert all((edge == 255).all() for edge in edges)


def test_text_is_as_wide_as_it_was_measured() -> None:
    name = "Wide Mango, Kiwi"
    sheet = class_sheet(photos((name, photo())), 1)
    drawn(sheet)
    written = sheet.axes[0].texts[-1].get_window_extent()
    assert written.width / sheet.dpi == pytest.approx(text_width(name), rel=0.06)


@pytest.mark.parametrize("text", ["W" * 300, "word " * 90, "a-b_c/" * 60, "ab", ""])
def test_wrapped_lines_fit_width_and_number(text: str) -> None:
    lines = wrapped(text, 1.2, 3)
    assert len(lines) <= 3
    assert all(text_width(line) <= 1.2 for line in lines)


def test_lines_break_at_spaces_and_slashes_first() -> None:
    lines = wrapped("Training/Apple Red 1/photo_12_100.jpg", 1.1, 3)
    assert lines == ["Training/Apple Red", "1/", "photo_12_100.jpg"]
