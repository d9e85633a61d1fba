import io
import re
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
import simplejpeg
from factories import encode
from photo_files import STORED_PIXELS
from PIL import Image

from fruits_pipeline.imaging.canonical import CanonicalPhoto, canonicalise, decode

JPEG_TOLERANCE = 6
"""Largest error of a uniform colour after JPEG compression, of 255 levels."""

RED, GREEN, BLUE, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128)
WHITE = (255, 255, 255)
RED_PHOTO = Image.new("RGB", (48, 32), RED)
NOISE = Image.fromarray(
    np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
)


def convert(content: bytes, short_side: int = 256) -> CanonicalPhoto:
    return canonicalise(content, short_side, max_mib=64)


def pixels(photo: CanonicalPhoto) -> np.ndarray:
    assert photo.error is None
    assert photo.image is not None
    with Image.open(io.BytesIO(photo.image)) as image:
        assert (image.format, image.mode) == ("JPEG", "RGB")
        return np.asarray(image)


def assert_colour(photo: CanonicalPhoto, expected: tuple[int, int, int]) -> None:
    middle = pixels(photo)[8, 8].astype(int)
    np.testing.assert_allclose(middle, expected, atol=JPEG_TOLERANCE)


def palette_image(transparent: bool = False) -> bytes:
    image = Image.new("P", (16, 16), 1)
    image.putpalette([*BLUE, *RED])
    return encode(image, transparency=1) if transparent else encode(image)


MODES: dict[str, tuple[bytes, tuple[int, int, int]]] = {
    "1": (encode(Image.new("1", (16, 16), 1)), WHITE),
    "L": (encode(Image.new("L", (16, 16), 128)), GREY),
    "P": (palette_image(), RED),
    "P transparent": (palette_image(transparent=True), WHITE),
    "L transparent": (encode(Image.new("L", (16, 16), 128), transparency=128), WHITE),
    "RGB transparent": (
        encode(Image.new("RGB", (16, 16), RED), transparency=RED),
        WHITE,
    ),
    "LA clear": (encode(Image.new("LA", (16, 16), (0, 0))), WHITE),
    "LA solid": (encode(Image.new("LA", (16, 16), (128, 255))), GREY),
    "RGBA clear": (encode(Image.new("RGBA", (16, 16), (0, 0, 0, 0))), WHITE),
    "RGBA half": (encode(Image.new("RGBA", (16, 16), (0, 0, 0, 127))), GREY),
    "RGB": (encode(Image.new("RGB", (16, 16), GREEN)), GREEN),
    "CMYK JPEG": (encode(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG"), RED),
    "grey JPEG": (encode(Image.new("L", (16, 16), 128), "JPEG"), GREY),
    "WebP": (encode(Image.new("RGBA", (16, 16), (0, 0, 0, 0)), "WEBP"), WHITE),
    "BMP": (encode(Image.new("RGB", (16, 16), BLUE), "BMP"), BLUE),
    "AVIF": (encode(Image.new("RGB", (16, 16), GREY), "AVIF"), GREY),
}


@pytest.mark.parametrize("mode", MODES)
def test_all_modes_become_rgb_and_transparency_becomes_white(mode: str) -> None:
    content, expected = MODES[mode]
    assert_colour(convert(content), expected)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
@pytest.mark.parametrize(("level", "expected"), [(65535, 255), (32768, 128), (0, 0)])
def test_16_bit_brightness_is_kept(file_format: str, level: int, expected: int) -> None:
    image = Image.fromarray(np.full((16, 16), level, np.uint16))
    assert image.mode == "I;16"
    assert_colour(convert(encode(image, file_format)), (expected,) * 3)


def test_float_photo_is_rejected() -> None:
    content = encode(Image.fromarray(np.ones((16, 16), np.float32)), "TIFF")
    assert convert(content) == CanonicalPhoto(
        width=16,
        height=16,
        error="32-bit floating-point samples: the white level is unknown; declare it in "
        "the TIFF tag SMaxSampleValue, or convert the photo to 8 bits",
    )


def test_animation_becomes_its_first_frame() -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, GREEN, BLUE)]
    content = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert_colour(convert(content), RED)


QUARTERS = {"red": RED, "green": GREEN, "blue": BLUE, "white": WHITE}
UPRIGHT = np.array([["red", "green"], ["blue", "white"]])


def scene(orientation: int, file_format: str = "JPEG") -> bytes:
    """Return a photo of 48 x 32 px with the quarters `UPRIGHT` and an orientation."""
    stored = STORED_PIXELS[orientation](
        np.kron(np.arange(4).reshape(2, 2), np.ones((16, 24)))
    )
    colours = np.array(list(QUARTERS.values()), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(colours[stored.astype(int)])
    return encode(image, file_format, exif=exif)


def quarters(image: np.ndarray) -> list[list[str]]:
    """Return the names of the colours of the four quarters."""
    height, width, _ = image.shape

    def name(y: int, x: int) -> str:
        colour = image[height * y // 4, width * x // 4].astype(int)
        return min(QUARTERS, key=lambda q: int(np.abs(colour - QUARTERS[q]).sum()))

    return [[name(y, x) for x in (1, 3)] for y in (1, 3)]


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", STORED_PIXELS)
def test_exif_orientation_is_applied(orientation: int, file_format: str) -> None:
    photo = convert(scene(orientation, file_format))
    assert (photo.width, photo.height) == (48, 32)
    image = pixels(photo)
    assert image.shape == (32, 48, 3)
    assert quarters(image) == UPRIGHT.tolist()


def test_rotated_photo_has_no_orientation_tag() -> None:
    image = convert(scene(6)).image
    assert image is not None
    with Image.open(io.BytesIO(image)) as result:
        assert 0x0112 not in result.getexif()


def exif_of(*entries: tuple[int, int, int, bytes]) -> bytes:
    """Return EXIF metadata with raw entries: tag, type, count, value."""
    body = b"".join(struct.pack(">HHI4s", *entry) for entry in entries)
    return (
        b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", len(entries)) + body + bytes(4)
    )


SIDEWAYS = (0x0112, 3, 1, b"\0\x06\0\0")


@pytest.mark.parametrize(
    "orientation",
    [
        *[(3, 1, struct.pack(">HH", number, 0)) for number in (0, 9, 65535)],
        (11, 1, struct.pack(">f", float("nan"))),
    ],
)
def test_invalid_orientation_is_ignored(orientation: tuple[int, int, bytes]) -> None:
    content = encode(RED_PHOTO, "JPEG", exif=exif_of((0x0112, *orientation)))
    assert convert(content) == CanonicalPhoto(48, 32, content)


@pytest.mark.parametrize(
    "metadata",
    [
        {"exif": exif_of((0x0100, 8, 1, b"\xff\xff\0\0"), SIDEWAYS)},
        {"exif": exif_of(SIDEWAYS, (0xA005, 2, 4, b"abc\0"))},
        {"xmp": b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'},
    ],
    ids=["negative width", "text instead of an offset", "XMP"],
)
def test_orientation_in_unusual_metadata_is_applied(metadata: dict[str, bytes]) -> None:
    photo = convert(encode(RED_PHOTO, "JPEG", **metadata))
    assert photo.error is None
    assert (photo.width, photo.height) == (32, 48)


def test_canonical_photo_is_returned_byte_for_byte() -> None:
    content = encode(Image.new("RGB", (300, 200), RED), "JPEG", quality=80)
    assert convert(content) == CanonicalPhoto(300, 200, content)


SPOTS = Image.fromarray(
    np.random.default_rng(1).integers(0, 256, (8, 8, 3), np.uint8)
).resize((200, 200), Image.Resampling.BICUBIC)
PLAIN_JPEGS = {
    "4:2:0": encode(SPOTS, "JPEG", subsampling=2),
    "4:4:4": encode(SPOTS, "JPEG", subsampling=0),
    "progressive": encode(SPOTS, "JPEG", progressive=True),
    "RGB": encode(SPOTS, "JPEG", keep_rgb=True),
}


@pytest.mark.parametrize("variant", PLAIN_JPEGS)
def test_plain_jpeg_is_decoded_without_pillow_to_the_same_pixels(
    variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = PLAIN_JPEGS[variant]
    expected = np.asarray(Image.open(io.BytesIO(content)))
    monkeypatch.setattr("PIL.Image.open", None)
    assert convert(content) == CanonicalPhoto(200, 200, content)
    np.testing.assert_array_equal(decode(content), expected)


def add_extraneous_bytes(content: bytes) -> bytes:
    """Insert extraneous bytes before the last marker of a JPEG."""
    return content[:-2] + bytes(3) + content[-2:]


def test_jpeg_with_extraneous_bytes_is_accepted() -> None:
    content = add_extraneous_bytes(encode(NOISE, "JPEG"))
    with pytest.raises(ValueError, match="extraneous"):
        simplejpeg.decode_jpeg(content)
    expected = np.asarray(Image.open(io.BytesIO(content)))
    photo = convert(content)
    assert (photo.width, photo.height) == (64, 64)
    difference = np.abs(pixels(photo).astype(int) - expected)
    assert difference.mean() < JPEG_TOLERANCE
    assert photo.image is not None
    simplejpeg.decode_jpeg(photo.image)  # raises no warning


@pytest.mark.parametrize("length", range(300, 2400, 100))
def test_truncated_jpeg_is_rejected(length: int) -> None:
    photo = convert(encode(NOISE, "JPEG")[:length])
    assert photo.image is None
    assert photo.error is not None
    assert photo.error.startswith("damaged JPEG: ")


def test_canonical_form_is_idempotent() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    first = convert(encode(Image.fromarray(noise)), short_side=100)
    assert first.image is not None
    assert convert(first.image, short_side=100).image == first.image


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        ((400, 400), (100, 100)),
        ((400, 300), (133, 100)),
        ((300, 400), (100, 133)),
        ((101, 5000), (100, 4950)),
        ((100, 100), (100, 100)),
        ((60, 40), (60, 40)),
        ((1, 1000), (1, 1000)),
        ((1000, 1), (1000, 1)),
        ((1, 1), (1, 1)),
    ],
)
@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
def test_photo_is_shrunk_to_its_shorter_side_and_never_enlarged(
    original: tuple[int, int], expected: tuple[int, int], file_format: str
) -> None:
    content = encode(Image.new("RGB", original, RED), file_format)
    photo = convert(content, short_side=100)
    assert (photo.width, photo.height) == original
    assert pixels(photo).shape == (expected[1], expected[0], 3)


def test_jpeg_decoded_at_reduced_scale_resembles_full_decoding() -> None:
    y, x = np.mgrid[0:1600, 0:2400] / 400
    waves = np.stack([np.sin(x + y), np.cos(x - y), np.sin(x) * np.cos(y)], axis=-1)
    smooth = Image.fromarray((127.5 + 127.5 * waves).astype(np.uint8))
    reduced = pixels(convert(encode(smooth, "JPEG", quality=95), short_side=128))
    full = pixels(convert(encode(smooth, "PNG"), short_side=128))
    difference = np.abs(reduced.astype(int) - full)
    assert reduced.shape == (128, 192, 3)
    assert difference.mean() < 1.5
    assert difference.max() < 16


def test_large_sideways_photo_is_rotated_and_shrunk() -> None:
    exif = exif_of(SIDEWAYS)
    content = encode(Image.new("RGB", (1200, 800), RED), "JPEG", exif=exif)
    photo = convert(content, short_side=64)
    assert (photo.width, photo.height) == (800, 1200)
    assert pixels(photo).shape == (96, 64, 3)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
def test_truncated_photo_is_rejected(file_format: str) -> None:
    content = encode(NOISE, file_format)
    photo = convert(content[: len(content) // 2])
    assert photo.image is None
    assert photo.error is not None
    assert photo.error.startswith("damaged ")


def test_truncated_jpeg_of_canonical_size_is_rejected() -> None:
    content = encode(NOISE, "JPEG")
    photo = convert(content[:-200], short_side=64)
    assert photo == CanonicalPhoto(
        64, 64, error="damaged JPEG: premature end of data segment"
    )


def test_empty_file_is_rejected() -> None:
    assert convert(b"") == CanonicalPhoto(error="empty file (0 bytes)")


def test_error_of_other_files_shows_their_first_bytes() -> None:
    assert convert(b"Dear reader, this is text") == CanonicalPhoto(
        error="unknown format, begins with b'Dear reader,'; "
        "expected JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC"
    )


def png_bomb(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        check = zlib.crc32(name + body)
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", check)

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + header + body + chunk(b"IEND", b"")


def jpeg_bomb(width: int, height: int) -> bytes:
    """Return a small JPEG with a wrong size in its frame header."""
    content = bytearray(encode(Image.new("RGB", (16, 16), RED), "JPEG"))
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(content)


@pytest.mark.parametrize("bomb", [png_bomb, jpeg_bomb])
def test_decompression_bomb_is_rejected_before_decoding(
    bomb: Callable[[int, int], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("pixels were decoded")

    content = bomb(60_000, 50_000)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", fail)
    monkeypatch.setattr("PIL.Image.core.new", fail)
    monkeypatch.setattr("simplejpeg.decode_jpeg", fail)
    photo = canonicalise(content, 256, 320)
    assert (photo.width, photo.height, photo.image) == (60_000, 50_000, None)
    assert photo.error is not None
    assert re.fullmatch(
        r"60000 x 50000 pixels need [0-9,]+ MiB of memory to decode; "
        "expected at most decode_memory_mib = 320",
        photo.error,
    )


def test_memory_is_the_only_limit() -> None:
    content = encode(Image.new("1", (14_000, 14_000)), "PNG")  # Pillow's limit: 89 Mpx
    photo = canonicalise(content, short_side=16, max_mib=320)
    assert (photo.width, photo.error) == (14_000, None)
    assert canonicalise(content, 16, max_mib=128).image is None


@pytest.mark.parametrize("size", [(12_000, 9_000), (16_320, 12_240)])
def test_photo_of_a_phone_with_many_megapixels_is_accepted(
    size: tuple[int, int],
) -> None:
    content = encode(Image.new("RGB", size, RED), "JPEG")
    photo = canonicalise(content, short_side=256, max_mib=320)
    assert (photo.width, photo.height) == size
    assert_colour(photo, RED)
