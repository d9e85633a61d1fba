import io
from typing import Any

import numpy as np
import pytest
from factories import encode
from photo_files import (
    JPEG_END,
    accepted,
    rejected,
    replaced,
    segment,
    start_of,
    textured,
)
from PIL import Image

from fruits_pipeline.imaging.canonical import canonicalise

DETAILED = textured((400, 300), cells=90)
KINDS: dict[str, bytes] = {
    "baseline": encode(DETAILED, "JPEG", quality=90),
    "progressive": encode(DETAILED, "JPEG", quality=90, progressive=True),
    "grey": encode(DETAILED.convert("L"), "JPEG"),
    "CMYK": encode(DETAILED.convert("CMYK"), "JPEG"),
    "RGB": encode(DETAILED, "JPEG", keep_rgb=True),
    "small": encode(DETAILED.resize((100, 80)), "JPEG", quality=95),
    "restart markers": encode(DETAILED, "JPEG", restart_marker_rows=1),
}


def before_tables(content: bytes, inserted: bytes) -> bytes:
    """Insert bytes before the segment with the quantisation tables."""
    position = start_of(content, b"\xff\xdb")
    return content[:position] + inserted + content[position:]


RANDOM_BYTES = np.random.default_rng(1).bytes(12_000_000)
UNTIDY = {
    "bytes after the end": lambda c: c + b"x" * 5000,
    "zeros after the end": lambda c: c + bytes(5000),
    "a video after the end": lambda c: c + RANDOM_BYTES,
    "another JPEG after the end": lambda c: c + c,
    "no end marker": lambda c: c.removesuffix(JPEG_END),
    "zeros instead of the end marker": lambda c: c.removesuffix(JPEG_END) + bytes(5000),
    "zeros before the end marker": lambda c: c[:-2] + bytes(300) + JPEG_END,
    "fill bytes before the end marker": lambda c: c[:-2] + b"\xff" * 300 + JPEG_END[1:],
    "bytes between segments": lambda c: before_tables(c, b"abc" * 50),
    "fill bytes between segments": lambda c: before_tables(c, b"\xff" * 50),
    "bytes between segments and no end marker": lambda c: before_tables(c, b"a")[:-2],
    "empty APP0": lambda c: c[:2] + segment(0xE0, b"") + c[2:],
    "broken EXIF": lambda c: (
        c[:2] + segment(0xE1, b"Exif\0\0MM\0*" + b"\xff" * 4) + c[2:]
    ),
    "truncated EXIF": lambda c: c[:2] + segment(0xE1, b"Exif\0\0") + c[2:],
    "broken XMP": lambda c: (
        c[:2] + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmp") + c[2:]
    ),
    "broken list of images": lambda c: c[:2] + segment(0xE2, b"MPF\0II*\0") + c[2:],
    "unknown JFIF version": lambda c: (
        c[:2] + segment(0xE0, b"JFIF\0\x07\x07\0\0\1\0\1\0\0") + c[2:]
    ),
    "short JFIF": lambda c: c[:2] + segment(0xE0, b"JFIF\0\1") + c[2:],
    "comment that looks like markers": lambda c: (
        c[:2] + segment(0xFE, b"\xff\xd9\xff\xda\xff\xc3") + c[2:]
    ),
    "unknown segment": lambda c: c[:2] + segment(0xEA, bytes(60_000)) + c[2:],
}


def pillow_pixels(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


CASES = [
    (kind, name)
    for kind in KINDS
    for name in UNTIDY
    if (kind, name) != ("RGB", "unknown JFIF version")  # JFIF files have YCbCr colours
]


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_untidy_jpeg_with_all_pixels_is_accepted(kind: str, name: str) -> None:
    content = KINDS[kind]
    found, expected = accepted(UNTIDY[name](content), 300), pillow_pixels(content)
    assert found.shape == expected.shape
    assert np.abs(found - expected).mean() < 4


FOREIGN = encode(textured((900, 900), seed=9, cells=300), "JPEG", quality=80)
DAMAGED = {
    "cut, with end marker": lambda c: c[: len(c) // 2] + JPEG_END,
    "cut": lambda c: c[: len(c) // 2],
    "last byte before the end marker is missing": lambda c: c[:-3],
    "end is missing": lambda c: c[:-30] + JPEG_END,
    "rest is zero": lambda c: c[: len(c) // 2] + bytes(len(c) // 2),
    "rest is zero, with end marker": lambda c: (
        c[: len(c) // 2] + bytes(5000) + JPEG_END
    ),
    "512 bytes are zero": lambda c: replaced(c, len(c) // 2, bytes(512)),
    "4096 bytes are lost": lambda c: c[: len(c) // 3] + c[len(c) // 3 + 4096 :],
    "cut and untidy": lambda c: before_tables(c, b"abc")[: len(c) // 2] + JPEG_END,
    "cut, with zeros and bytes after the end": lambda c: (
        c[: len(c) // 2] + bytes(99) + JPEG_END + b"x" * 99
    ),
    "cut, with unknown JFIF version": lambda c: (
        c[:2] + segment(0xE0, b"JFIF\0\x07\x07\0\0\1\0\1\0\0") + c[2 : len(c) // 2]
    ),
    "cut in the header": lambda c: c[: start_of(c, b"\xff\xda")],
    "cut after the header": lambda c: c[: start_of(c, b"\xff\xda") + 14],
    "cut, followed by another photo": lambda c: c[: len(c) // 2] + c,
}


@pytest.mark.parametrize("name", DAMAGED)
@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"small"}))
def test_damaged_jpeg_is_rejected(kind: str, name: str) -> None:
    error = rejected(DAMAGED[name](KINDS[kind]))
    assert error.startswith("damaged JPEG: ")


@pytest.mark.parametrize("share", [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
@pytest.mark.parametrize("kind", ["baseline", "grey", "CMYK", "RGB", "restart markers"])
def test_zeros_at_any_position_are_rejected(kind: str, share: float) -> None:
    content = encode(DETAILED, "JPEG") if kind == "baseline" else KINDS[kind]
    damaged = replaced(content, int(share * len(content)), bytes(512))
    assert rejected(damaged).startswith("damaged JPEG: ")


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize(
    "options", [{"optimize": True}, {"progressive": True}], ids=str
)
def test_large_area_of_one_colour_is_not_damage(
    options: dict[str, Any], mode: str
) -> None:
    image = Image.new("RGB", (2400, 1800), (128, 128, 128))
    image.paste(DETAILED, (1200, 900))
    content = encode(image.convert(mode), "JPEG", **options)
    assert bytes(256) in content
    accepted(content)


@pytest.mark.parametrize("kind", ["baseline", "progressive"])
def test_jpeg_that_continues_as_another_file_is_rejected(kind: str) -> None:
    content = KINDS[kind]
    half = len(content) // 2
    assert rejected(content[:half] + FOREIGN[half : len(content)]).startswith(
        "damaged JPEG: "
    )


@pytest.mark.parametrize("transform", [1, 2, 3, 255])
@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_damage_is_found_if_the_colour_transform_is_unknown(
    mode: str, transform: int
) -> None:
    content = KINDS[mode]
    content = replaced(content, content.index(b"Adobe") + 11, bytes([transform]))
    accepted(content)
    assert rejected(content[: len(content) // 2] + JPEG_END).startswith(
        "damaged JPEG: "
    )


@pytest.mark.parametrize("length", range(0, 700, 23))
def test_jpeg_cut_at_any_position_is_rejected(length: int) -> None:
    rejected(KINDS["small"][:length])


@pytest.mark.parametrize("name", sorted(UNTIDY))
def test_canonical_form_of_an_untidy_jpeg_is_canonical(name: str) -> None:
    first = canonicalise(UNTIDY[name](KINDS["small"]), 256, 64).image
    assert first is not None
    assert canonicalise(first, 256, 64).image == first


def test_first_of_several_images_is_used() -> None:
    frames = [textured((300, 200), seed) for seed in range(3)]
    content = encode(frames[0], "MPO", save_all=True, append_images=frames[1:])
    found = accepted(content)
    assert found.shape == (200, 300, 3)
    assert np.abs(found - np.asarray(frames[0])).mean() < 5
    end = content.index(JPEG_END, 1000)
    assert rejected(content[: end // 2] + content[end:]).startswith("damaged JPEG: ")


def test_invalid_marker_does_not_hide_damage() -> None:
    content = encode(textured((400, 300)), "JPEG", quality=90)
    half = content[: len(content) // 2]
    foreign = b"\xff\xe7\xff\xff" + b"\1" * 65533 + b"\xff\x67"
    assert rejected(half + foreign).startswith("damaged JPEG: ")


@pytest.mark.parametrize("progressive", [False, True])
def test_erased_part_is_rejected(progressive: bool) -> None:
    content = encode(textured((400, 300)), "JPEG", quality=90, progressive=progressive)
    half = len(content) // 2
    for middle in (content[half + 512 :], content[half:]):
        rejected(content[:half] + b"\xff" * 512 + middle)


@pytest.mark.parametrize("sampling", [0x41, 0x42, 0x24, 0x31, 0x13, 0x12, 0x22])
def test_any_chroma_subsampling_is_read(sampling: int) -> None:
    """Encode one group of grey blocks with the tables of T.81, annex K."""
    content = encode(Image.new("RGB", (8, 8), "grey"), "JPEG")
    columns, rows = divmod(sampling, 16)
    bits = "001010" * columns * rows + "0000" * 2  # no difference, end of block
    bits += "1" * (-len(bits) % 8)
    data = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
    frame = start_of(content, b"\xff\xc0")
    scan = start_of(content, b"\xff\xda") + 14
    content = replaced(content, frame + 5, bytes([0, 8 * rows, 0, 8 * columns]))
    content = replaced(content, frame + 11, bytes([sampling]))
    pixels = accepted(content[:scan] + data + JPEG_END)
    assert pixels.shape == (8 * rows, 8 * columns, 3)
    assert np.abs(pixels - 128).max() <= 1


@pytest.mark.parametrize("marker", [b"\xff\xda", b"\xff\xc4"])
def test_fill_bytes_between_scans_are_accepted(marker: bytes) -> None:
    content = encode(textured((400, 300)), "JPEG", progressive=True)
    at = content.rindex(marker)
    accepted(content[:at] + b"\xff" * 3000 + content[at:])


def test_fill_bytes_before_restart_markers_are_accepted() -> None:
    content = encode(textured((400, 300)), "JPEG", restart_marker_rows=1)
    at = content.index(b"\xff\xd0")
    accepted(content[:at] + b"\xff" * 3000 + content[at:])


def test_wrong_spectral_selection_of_baseline_is_ignored() -> None:
    content = encode(textured((400, 300)), "JPEG")
    end = start_of(content, b"\xff\xda") + 14
    accepted(replaced(content, end - 2, b"\x01"))
