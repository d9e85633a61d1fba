import io
import warnings

import numpy as np
import pandas as pd
import poison
import pytest
from factories import encode
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image, ImageFile

from fruits_pipeline.reporting import decoding
from fruits_pipeline.reporting.contact_sheets import (
    class_sheet,
    reject_sheet,
)
from fruits_pipeline.reporting.pages import text_width, wrap_text

Mask = NDArray[np.bool_]
RED, BLUE = (200, 20, 30), (20, 30, 200)
MAX_MIB = 64


def photo(
    colour: tuple[int, int, int] = RED, size: tuple[int, int] = (100, 100)
) -> bytes:
    """Return a JPEG of one colour."""
    return encode(Image.new("RGB", size, colour), "JPEG", quality=95)


def noisy_photo() -> bytes:
    """Return a JPEG in which every row of pixels takes about the same number of bytes."""
    pixels = np.random.default_rng(7).integers(0, 90, (320, 320, 3), dtype=np.uint8)
    return encode(Image.fromarray(pixels), "JPEG", quality=95)


def photos(*rows: tuple[str | None, bytes]) -> pd.DataFrame:
    """Return photos with their labels."""
    return pd.DataFrame(rows, columns=["label", "image"])


def rejects(*contents: bytes | None, path: str = "a/b.jpg") -> pd.DataFrame:
    """Return one rejected photo for each content."""
    rows = [(path, "cannot be decoded", content) for content in contents]
    return pd.DataFrame(rows, columns=["path", "error", "content"])


def render(figure: Figure) -> np.ndarray:
    """Return a figure as RGB pixels."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(file, format="png")
    return np.asarray(Image.open(file).convert("RGB"))


def texts(figure: Figure) -> list[str]:
    """Return the lines of text on a sheet."""
    return [text.get_text() for text in figure.axes[0].texts]


def count_runs(line: Mask) -> int:
    """Return the number of runs of true values."""
    return int(np.count_nonzero(np.diff(np.r_[0, line.astype(int)]) == 1))


def has_colour(pixels: np.ndarray, colour: tuple[int, int, int]) -> Mask:
    """Return a mask of the pixels that have about this colour."""
    distance = np.abs(pixels.astype(int) - colour).max(axis=2)
    return np.asarray(distance < 25)


def test_row_has_at_most_the_given_number_of_photos() -> None:
    sheet = class_sheet(photos(*[("Fig", photo())] * 7), 4)
    assert count_runs(np.asarray(has_colour(render(sheet), RED).any(axis=0))) == 4


def test_each_label_has_a_row_with_its_name() -> None:
    sheet = class_sheet(photos(("Kiwi", photo(BLUE)), ("Fig", photo(RED))), 3)
    assert texts(sheet) == ["2 labels, up to 1 photo each", "Fig", "Kiwi"]
    pixels = render(sheet)
    first = np.flatnonzero(has_colour(pixels, RED).any(axis=1))
    second = np.flatnonzero(has_colour(pixels, BLUE).any(axis=1))
    assert first[-1] < second[0]


def test_photos_without_label_are_last() -> None:
    sheet = class_sheet(photos((None, photo()), ("Zucchini", photo())), 3)
    assert texts(sheet) == ["1 label, up to 1 photo each", "Zucchini", "no label"]


@pytest.mark.parametrize("count", [33, 200])
def test_many_labels_are_arranged_in_columns(count: int) -> None:
    image = photo(size=(20, 20))
    rows = [(f"Apple {i:03}", image) for i in range(count) for _ in range(8)]
    width, height = class_sheet(photos(*rows), 8).get_size_inches()
    assert 0.75 < width / height < 2
    assert width < 40


@pytest.mark.parametrize("size", [(350, 20), (20, 350), (1, 1), (300, 1)])
def test_photo_of_any_aspect_ratio_stays_in_its_square(size: tuple[int, int]) -> None:
    sheet = class_sheet(photos(("Fig", photo(RED, size)), ("Fig", photo(BLUE))), 2)
    pixels = render(sheet)
    red, square = has_colour(pixels, RED), has_colour(pixels, BLUE)
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
    render(sheet)
    assert " ".join(texts(sheet)[1:]) == written


def test_blank_label_is_drawn() -> None:
    assert has_colour(render(class_sheet(photos((" ", photo())), 2)), RED).any()


def test_undecodable_photo_is_a_grey_square() -> None:
    sheet = class_sheet(photos(("Fig", b"broken"), ("Fig", photo())), 2)
    assert has_colour(render(sheet), (228, 228, 228)).any()


def test_class_sheet_may_be_empty() -> None:
    sheet = class_sheet(photos(), 8)
    render(sheet)
    assert texts(sheet) == ["0 labels, up to 0 photos each"]


@pytest.mark.parametrize(
    ("rejected", "title"),
    [
        (2, "2 of 20,701 photos rejected"),
        (1312, "1,312 of 20,701 photos rejected, 2 of them shown"),
    ],
)
def test_title_counts_rejected_shown_and_all_photos(rejected: int, title: str) -> None:
    assert (
        texts(reject_sheet(rejects(b"x", b"y"), rejected, 20701, MAX_MIB))[0] == title
    )


def test_reject_sheet_may_be_empty() -> None:
    sheet = reject_sheet(rejects(), 0, 20701, MAX_MIB)
    render(sheet)
    assert texts(sheet) == ["0 of 20,701 photos rejected"]


def test_upper_part_of_a_truncated_photo_is_drawn() -> None:
    content = noisy_photo()
    pixels = render(reject_sheet(rejects(content[: len(content) // 2]), 1, 9, MAX_MIB))
    rows = np.flatnonzero((pixels.max(axis=2) < 110).mean(axis=1) > 0.4)
    missing = np.flatnonzero((pixels == 228).all(axis=2).mean(axis=1) > 0.4)
    assert 60 < len(rows) < 160
    assert missing[0] >= rows[-1]


def test_setting_of_pillow_is_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    for before in (False, True):
        monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", before)
        reject_sheet(rejects(noisy_photo()[:9000], b"\xff\xd8\xff"), 2, 9, MAX_MIB)
        assert ImageFile.LOAD_TRUNCATED_IMAGES is before


def test_other_content_is_drawn_as_hexadecimal_codes() -> None:
    sheet = reject_sheet(rejects(b"<html>\x00\xff"), 1, 9, MAX_MIB)
    render(sheet)
    assert {"8 bytes", "3c 68 74 6d 6c 3e 00 ff", "<html>··"} <= set(texts(sheet))


@pytest.mark.parametrize(
    ("content", "expected"), [(b"", "0 bytes"), (None, "not available")]
)
def test_card_of_a_reject_without_content(content: bytes | None, expected: str) -> None:
    sheet = reject_sheet(rejects(content), 1, 9, MAX_MIB)
    assert any(expected in text for text in texts(sheet))
    assert {"a/b.jpg", "cannot be decoded"} <= set(texts(sheet))


@pytest.mark.parametrize("file_format", ["PNG", "JPEG"])
def test_photo_that_needs_too_much_memory_is_not_decoded(file_format: str) -> None:
    content = encode(Image.new("L", (8_000, 8_000)), file_format, progressive=True)
    sheet = reject_sheet(rejects(content), 1, 9, MAX_MIB)
    assert any(text.endswith("bytes") for text in texts(sheet))
    assert not any(
        text.endswith("bytes")
        for text in texts(reject_sheet(rejects(content), 1, 9, 512))
    )


def test_long_path_is_shortened_at_the_start() -> None:
    sheet = reject_sheet(
        rejects(b"x", path="folder/" * 40 + "photo_7.jpg"), 1, 9, MAX_MIB
    )
    path = "".join(texts(sheet)[-3:-1])
    assert path.startswith("…")
    assert path.endswith("folder/photo_7.jpg")


def test_cards_and_their_text_fit_on_the_page() -> None:
    sheet = reject_sheet(
        rejects(*[b"\x00" * 99] * 40, path="WM/" * 50), 40, 99, MAX_MIB
    )
    pixels = render(sheet)
    edges = [pixels[:20], pixels[-20:], pixels[:, :20], pixels[:, -20:]]
    assert all((edge == 255).all() for edge in edges)


def test_label_no_label_is_not_the_absence_of_a_label() -> None:
    sheet = class_sheet(photos(("no label", photo()), (None, photo())), 2)
    assert texts(sheet)[1:] == ["no label", "(no label)"]


@pytest.mark.parametrize("label", ["$x$", "$HOME", "a\nb", "\t", "None", "nan", "1e3"])
def test_label_is_not_interpreted(label: str) -> None:
    sheet = class_sheet(photos((label, photo())), 1)
    assert texts(sheet)[1] == " ".join(label.split())
    render(sheet)


def test_text_is_drawn_as_wide_as_measured() -> None:
    name = "Wide Mango, Kiwi"
    sheet = class_sheet(photos((name, photo())), 1)
    render(sheet)
    written = sheet.axes[0].texts[-1].get_window_extent()
    assert written.width / sheet.dpi == pytest.approx(text_width(name), rel=0.06)


@pytest.mark.parametrize("text", ["W" * 300, "word " * 90, "a-b_c/" * 60, "ab", ""])
def test_wrapped_text_fits_width_and_number_of_lines(text: str) -> None:
    lines = wrap_text(text, 1.2, 3)
    assert len(lines) <= 3
    assert all(text_width(line) <= 1.2 for line in lines)


def test_lines_break_at_spaces_and_slashes_first() -> None:
    lines = wrap_text("Training/Apple Red 1/photo_12_100.jpg", 1.1, 3)
    assert lines == ["Training/Apple Red", "1/", "photo_12_100.jpg"]


def test_rejected_photo_that_crashes_its_decoder_is_drawn_as_a_square(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def crash(content: bytes, *_: object) -> None:
        poison.swallow(content)

    monkeypatch.setattr(decoding, "read_photo", crash)
    sheet = reject_sheet(rejects(poison.photo("crash")), 1, 2, MAX_MIB)
    assert "13 bytes" in texts(sheet)
