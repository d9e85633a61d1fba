"""Tests of coding processes, depths, and numbers of components and scans."""

import struct

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

from fruits_pipeline.imaging.canonical import canonicalise
from fruits_pipeline.imaging.decoding.jpeg_header import MAX_SCANS

DETAILED = textured((400, 300), cells=90)
FRAMES = (b"\xff\xc0", b"\xff\xc2")
KINDS: dict[str, bytes] = {
    "baseline": encode(DETAILED, "JPEG", quality=90),
    "progressive": encode(DETAILED, "JPEG", quality=90, progressive=True),
    "grey": encode(DETAILED.convert("L"), "JPEG"),
    "CMYK": encode(DETAILED.convert("CMYK"), "JPEG"),
    "small": encode(DETAILED.resize((100, 80)), "JPEG", quality=95),
}


def with_frame(content: bytes, position: int, replacement: bytes) -> bytes:
    """Replace bytes of the frame header, from a position after its marker on."""
    return replaced(content, start_of(content, *FRAMES) + 2 + position, replacement)


MARKERS = [m for m in range(0xC0, 0xD0) if m not in (0xC0, 0xC1, 0xC4, 0xC8, 0xCC)]


@pytest.mark.parametrize("short_side", [16, 256])
@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("marker", MARKERS)
def test_other_coding_processes_do_not_crash(
    marker: int, kind: str, short_side: int
) -> None:
    content = with_frame(KINDS[kind], -1, bytes([marker]))
    photo = canonicalise(content, short_side, 320)
    assert (photo.image is None) != (photo.error is None)


@pytest.mark.parametrize("bits", [0, 2, 7, 12, 16, 255])
def test_unsupported_depth_is_reported(bits: int) -> None:
    error = rejected(with_frame(KINDS["baseline"], 2, bytes([bits])))
    assert error == (
        f"unsupported JPEG: samples of {bits} bits, 3 per pixel; "
        "convert the photo to JPEG or PNG with 8 bits"
    )


@pytest.mark.parametrize("components", [0, 2, 5, 255])
def test_other_numbers_of_components_are_rejected(components: int) -> None:
    content = with_frame(KINDS["baseline"], 7, bytes([components]))
    assert "JPEG: " in rejected(content)


@pytest.mark.parametrize("size", [(0, 400), (300, 0), (0, 0)])
def test_jpeg_without_size_is_rejected(size: tuple[int, int]) -> None:
    assert "JPEG" in rejected(
        with_frame(KINDS["baseline"], 3, struct.pack(">HH", *size))
    )


def lossless_jpeg(pixels: np.ndarray, bits: int = 8) -> bytes:
    """Return a grey lossless JPEG (ITU-T T.81, annex H) that predicts from the left.

    The Huffman code of a difference of n bits has four bits, for n from 0 to 14.
    """
    height, width = pixels.shape
    left = np.empty_like(pixels, int)
    left[:, 1:] = pixels[:, :-1]
    left[1:, 0], left[0, 0] = pixels[:-1, 0], 2 ** (bits - 1)
    codes = []
    for difference in map(int, (pixels.astype(int) - left).ravel()):
        length = abs(difference).bit_length()
        value = difference if difference >= 0 else difference + 2**length - 1
        codes.append(f"{length:04b}" + (f"{value:0{length}b}" if length else ""))
    text = "".join(codes)
    text += "1" * (-len(text) % 8)
    coded = bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))
    table = bytes([0, *[0, 0, 0, 15], *[0] * 12, *range(15)])
    return (
        b"\xff\xd8"
        + segment(0xC3, struct.pack(">BHHB3B", bits, height, width, 1, 1, 0x11, 0))
        + segment(0xC4, table)
        + segment(0xDA, bytes([1, 1, 0, 1, 0, 0]))
        + coded.replace(b"\xff", b"\xff\0")
        + JPEG_END
    )


@pytest.mark.parametrize("short_side", [1, 16, 256])
@pytest.mark.parametrize("size", [(1, 1), (16, 16), (300, 200), (1200, 40)])
def test_lossless_jpeg_is_decoded(size: tuple[int, int], short_side: int) -> None:
    grey = np.asarray(textured(size).convert("L"))
    pixels = accepted(lossless_jpeg(grey), short_side)
    assert pixels[..., 0].mean() == pytest.approx(grey.mean(), abs=2)
    if min(size) <= short_side:
        assert np.abs(pixels[..., 0] - grey.astype(int)).max() < 20


def test_cut_lossless_jpeg_is_rejected() -> None:
    content = lossless_jpeg(np.asarray(textured((300, 200)).convert("L")))
    assert rejected(content[: len(content) // 2]).startswith("damaged JPEG: ")


@pytest.mark.parametrize("damage", ["cut", "zeros", "missing"])
def test_damaged_lossless_jpeg_is_rejected(damage: str) -> None:
    content = lossless_jpeg(np.asarray(textured((300, 200)).convert("L")))
    half = len(content) // 2
    ends = {
        "cut": JPEG_END,
        "zeros": bytes(half) + JPEG_END,
        "missing": content[half + 512 :],
    }
    assert rejected(content[:half] + ends[damage]).startswith("damaged JPEG: ")


def test_lossless_jpeg_of_12_bits_is_rejected_with_its_depth() -> None:
    grey = np.asarray(textured((64, 48)).convert("L")).astype(int) * 16
    assert rejected(lossless_jpeg(grey, 12)).startswith(
        "unsupported JPEG: samples of 12 bits, 1 per pixel"
    )


def test_too_many_scans_are_rejected() -> None:
    content = KINDS["progressive"]
    scan = start_of(content, b"\xff\xda")
    scans = content[scan:-2]
    many = content[:scan] + scans * 12 + JPEG_END
    expected = f"JPEG with {MAX_SCANS + 1} scans; expected at most {MAX_SCANS}"
    assert rejected(many) == expected


def test_many_scans_of_a_large_photo_are_rejected() -> None:
    content = KINDS["progressive"]
    frame = start_of(content, b"\xff\xc2")
    large = bytearray(content)
    large[frame + 5 : frame + 9] = b"\x10\0\x18\0"  # 6144 x 4096
    scan = start_of(content, b"\xff\xda")
    many = bytes(large[:scan]) + content[scan:-2] * 5 + JPEG_END
    assert rejected(many).endswith("scans; expected at most 20")


def test_long_run_of_fill_bytes_is_skipped() -> None:
    content = KINDS["baseline"]
    accepted(content[:2] + b"\xff" * 20_000_000 + content[2:])


@pytest.mark.parametrize("kind", ["baseline", "small", "progressive"])
def test_scans_are_counted_up_to_the_end_marker(kind: str) -> None:
    accepted(KINDS[kind] + b"\xff\xda\0\x08" * 500)
