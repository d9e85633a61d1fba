import zlib
from typing import Any

import numpy as np
import pytest
from factories import encode
from icc_profiles import lab_to_srgb
from photo_files import accepted, rejected, replaced, textured
from PIL import Image
from tiff_files import tiff, tiff_of

IMAGE = textured((96, 64))
PIXELS = np.asarray(IMAGE)


def assert_picture(
    content: bytes, expected: Any = PIXELS, tolerance: float = 3
) -> None:
    found = accepted(content)
    assert found.shape == expected.shape
    assert np.abs(found - expected).mean() < tolerance


RGB_TAGS = {258: [8] * 3, 262: [2], 277: [3]}


@pytest.mark.parametrize(("order", "big"), [("<", False), (">", False), ("<", True)])
def test_byte_orders_and_large_addresses_are_read(order: str, big: bool) -> None:
    assert_picture(tiff([PIXELS.tobytes()], (96, 64), RGB_TAGS, order, big))


def test_bigtiff_in_big_endian_byte_order_is_rejected() -> None:
    content = tiff([PIXELS.tobytes()], (96, 64), RGB_TAGS, ">", big=True)
    expected = "unsupported TIFF: BigTIFF in big-endian byte order; convert the photo"
    assert rejected(content) == expected


@pytest.mark.parametrize("compression", [1, 8])
def test_strips_and_tiles_are_joined(compression: int) -> None:
    def store(part: np.ndarray) -> bytes:
        content = part.tobytes()
        return content if compression == 1 else zlib.compress(content)

    tags = {**RGB_TAGS, 259: [compression]}
    strips = [store(PIXELS[top : top + 10]) for top in range(0, 64, 10)]
    assert_picture(tiff(strips, (96, 64), {**tags, 278: [10]}))
    tiles = [
        store(PIXELS[y : y + 32, x : x + 32]) for y in (0, 32) for x in (0, 32, 64)
    ]
    assert_picture(tiff(tiles, (96, 64), {**tags, 322: [32], 323: [32]}))


def test_planes_are_joined() -> None:
    planes = [PIXELS[..., i].tobytes() for i in range(3)]
    assert_picture(tiff(planes, (96, 64), {**RGB_TAGS, 284: [2]}))


def test_first_page_is_used() -> None:
    other = textured((40, 30), seed=1)
    assert_picture(encode(IMAGE, "TIFF", save_all=True, append_images=[other]))


def test_palette_is_applied() -> None:
    palette = IMAGE.quantize(64)
    assert_picture(encode(palette, "TIFF"), np.asarray(palette.convert("RGB")), 6)


@pytest.mark.parametrize("alpha", [0, 255])
@pytest.mark.parametrize("is_premultiplied", [False, True])
def test_transparency_becomes_white(alpha: int, is_premultiplied: bool) -> None:
    rgba = np.full((24, 32, 4), (200, 120, 40, alpha), np.uint8)
    if is_premultiplied and not alpha:
        rgba[:] = 0
    content = tiff_of(rgba, photometric=2, tags={338: [1 if is_premultiplied else 2]})
    expected = (200, 120, 40) if alpha else (255, 255, 255)
    assert_picture(content, np.full((24, 32, 3), expected))


def test_cmyk_is_converted() -> None:
    cmyk = np.full((24, 32, 4), (0, 128, 255, 0), np.uint8)
    expected = np.full((24, 32, 3), (255, 127, 0))
    assert_picture(tiff_of(cmyk, photometric=5), expected)


@pytest.mark.parametrize("lab", [(78, 10, 20), (40, -20, 30), (50, 0, 0), (30, 5, -30)])
def test_cielab_is_converted(lab: tuple[int, int, int]) -> None:
    lightness, a, b = lab
    stored = (round(lightness * 2.55), a % 256, b % 256)
    content = tiff_of(np.full((24, 32, 3), stored, np.uint8), photometric=8)
    expected = np.broadcast_to(lab_to_srgb(lightness, a, b), (24, 32, 3))
    assert_picture(content, expected)


COMPRESSIONS = ["tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "jpeg"]
DETAILED = textured((400, 300), cells=150)


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("strip_size", [4_000, 10**9])
def test_compressed_photo_is_decoded(compression: str, strip_size: int) -> None:
    content = encode(IMAGE, "TIFF", compression=compression, strip_size=strip_size)
    assert_picture(content)


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_zeros_among_compressed_pixels_are_rejected(
    compression: str, share: float
) -> None:
    content = encode(DETAILED, "TIFF", compression=compression)
    accepted(content)
    damaged = replaced(content, int(share * len(content)), bytes(512))
    assert rejected(damaged).startswith("damaged TIFF: ")


@pytest.mark.parametrize("compression", [*COMPRESSIONS, None])
def test_cut_photo_is_rejected(compression: str | None) -> None:
    content = encode(DETAILED, "TIFF", compression=compression)
    assert rejected(content[: len(content) // 2]).startswith("damaged TIFF: ")


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("strip_size", [65_536, 10**9])
def test_large_area_of_one_colour_is_not_damage(
    compression: str, strip_size: int
) -> None:
    image = Image.new("RGB", (1600, 1200))
    image.paste(IMAGE, (800, 600))
    accepted(encode(image, "TIFF", compression=compression, strip_size=strip_size))


def test_wrong_bits_of_deflate_are_rejected() -> None:
    content = encode(DETAILED, "TIFF", compression="tiff_adobe_deflate")
    for share in (0.2, 0.4, 0.6):
        at = int(share * len(content))
        damaged = replaced(content, at, bytes([content[at] ^ 8]))
        assert rejected(damaged).startswith("damaged TIFF: ")


def test_missing_strip_is_rejected() -> None:
    strips = [PIXELS[top : top + 16].tobytes() for top in range(0, 64, 16)]
    tags = {**RGB_TAGS, 278: [16]}
    assert_picture(tiff(strips, (96, 64), tags))
    assert (
        rejected(tiff(strips[:3], (96, 64), tags)) == "damaged TIFF: pixels are missing"
    )
    short = [PIXELS[:32].tobytes()]
    assert rejected(tiff(short, (96, 64), RGB_TAGS)).startswith("damaged TIFF: ")


def test_palette_of_8_bits_is_read() -> None:
    colours = np.arange(256)
    palette = [*colours, *colours[::-1], *colours]  # 16 bits are meant, so times 257
    indices = np.tile(np.arange(256, dtype=np.uint8), (16, 1))
    found = accepted(
        tiff([indices.tobytes()], (256, 16), {258: [8], 262: [3], 320: palette})
    )
    assert np.abs(found[..., 0].mean(axis=0) - colours).mean() < 3


def test_premultiplied_grey_is_read() -> None:
    grey = np.full((16, 16), 100, np.uint8)
    content = np.dstack([grey, np.full_like(grey, 255)]).tobytes()
    tags = {258: [8, 8], 262: [1], 277: [2], 338: [1]}
    assert np.abs(accepted(tiff([content], (16, 16), tags)) - 100).max() < 3


@pytest.mark.parametrize("compression", [34712, 50001, 50002])
def test_unsupported_compression_is_named(compression: int) -> None:
    content = tiff([PIXELS.tobytes()], (96, 64), {**RGB_TAGS, 259: [compression]})
    expected = f"unsupported TIFF: compression {compression}; "
    assert rejected(content).startswith(expected)
