from typing import Any

import numpy as np
import pytest
from factories import encode
from photo_files import STORED_PIXELS, accepted, chunk
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from fruits_pipeline.imaging.canonical import canonicalise

COLOURS = np.array(
    [(230, 40, 40), (40, 200, 40), (40, 40, 230), (240, 240, 240)], np.uint8
)
UPRIGHT = np.kron(np.arange(4).reshape(2, 2), np.ones((16, 24), int))
"""Colours of an upright photo of 48 x 32 pixels: its quarters."""

ORIENTATION, XMP_TAG = 0x0112, 700
FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "JPEG": ("JPEG", {}),
    "progressive JPEG": ("JPEG", {"progressive": True}),
    "MPO": ("MPO", {"save_all": True, "append_images": [Image.new("RGB", (9, 9))]}),
    "PNG": ("PNG", {}),
    "WebP": ("WEBP", {}),
    "AVIF": ("AVIF", {"speed": 10}),
    "HEIC": ("HEIF", {}),
    "TIFF": ("TIFF", {}),
    "LZW TIFF": ("TIFF", {"compression": "tiff_lzw"}),
    "deflate TIFF": ("TIFF", {"compression": "tiff_adobe_deflate"}),
}


def stored_image(orientation: int, scale: int) -> Image.Image:
    """Return the stored pixels of the upright photo, enlarged."""
    colours = COLOURS[STORED_PIXELS[orientation](UPRIGHT)]
    return Image.fromarray(colours.repeat(scale, 0).repeat(scale, 1))


def exif(orientation: int) -> Image.Exif:
    metadata = Image.Exif()
    metadata[ORIENTATION] = orientation
    return metadata


def xmp(orientation: int, padding: int = 0) -> bytes:
    """Return XMP metadata with an orientation."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf='
        '"http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
        f'tiff:Orientation="{orientation}"/></rdf:RDF></x:xmpmeta>' + " " * padding
    ).encode()


def save(image: Image.Image, name: str, orientation: int) -> bytes:
    """Return a photo with an orientation in its EXIF metadata."""
    file_format, options = FORMATS[name]
    metadata: Any = exif(orientation)
    if file_format == "TIFF":
        return encode(image, "TIFF", tiffinfo={ORIENTATION: orientation}, **options)
    if file_format == "HEIF":
        metadata = metadata.tobytes()
    return encode(image, file_format, exif=metadata, **options)


def assert_upright(content: bytes, scale: int = 1) -> None:
    photo = canonicalise(content, 64, 320)
    assert (photo.width, photo.height) == (48 * scale, 32 * scale), photo.error
    pixels = accepted(content, 64)
    height, width, _ = pixels.shape
    assert (width, height) == ((48, 32) if scale == 1 else (96, 64))
    centres = pixels[height // 4 :: height // 2, width // 4 :: width // 2]
    np.testing.assert_allclose(centres.reshape(4, 3), COLOURS, atol=12)


@pytest.mark.parametrize("scale", [1, 12])
@pytest.mark.parametrize("orientation", STORED_PIXELS)
@pytest.mark.parametrize("name", FORMATS)
def test_orientation_is_applied_once(name: str, orientation: int, scale: int) -> None:
    assert_upright(save(stored_image(orientation, scale), name, orientation), scale)


@pytest.mark.parametrize("orientation", [2, 3, 5, 6])
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientation_in_xmp_is_applied(file_format: str, orientation: int) -> None:
    image, metadata = stored_image(orientation, 1), xmp(orientation)
    if file_format == "PNG":
        for is_compressed in (False, True):
            text = PngInfo()
            text.add_itxt("XML:com.adobe.xmp", metadata.decode(), zip=is_compressed)
            assert_upright(encode(image, pnginfo=text))
    elif file_format == "TIFF":
        assert_upright(encode(image, "TIFF", tiffinfo={XMP_TAG: metadata}))
    else:
        assert_upright(encode(image, file_format, xmp=metadata))


def test_orientation_in_large_xmp_of_a_png_is_applied() -> None:
    text = PngInfo()
    text.add_itxt("XML:com.adobe.xmp", xmp(6, 500_000).decode())
    assert_upright(encode(stored_image(6, 1), pnginfo=text))


@pytest.mark.parametrize("orientation", [2, 3, 5, 6])
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF"])
def test_orientation_in_exif_and_xmp_is_applied_once(
    file_format: str, orientation: int
) -> None:
    image, metadata = stored_image(orientation, 1), xmp(orientation)
    if file_format == "TIFF":
        tags = {ORIENTATION: orientation, XMP_TAG: metadata}
        for compression in (None, "tiff_lzw"):
            assert_upright(
                encode(image, "TIFF", tiffinfo=tags, compression=compression)
            )
    else:
        both = {"exif": exif(orientation).tobytes(), "xmp": metadata}
        assert_upright(encode(image, file_format, **both))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_exif_prevails_over_xmp(file_format: str) -> None:
    both = {"exif": exif(1).tobytes(), "xmp": xmp(6)}
    assert_upright(encode(stored_image(1, 1), file_format, **both))


def test_exif_after_the_pixels_of_a_png_is_applied() -> None:
    content = encode(stored_image(6, 1))
    metadata = chunk(b"eXIf", exif(6).tobytes().removeprefix(b"Exif\0\0"))
    assert_upright(content[:-12] + metadata + content[-12:])


def test_exif_as_text_of_a_png_is_applied() -> None:
    metadata = exif(6).tobytes().hex()
    text = PngInfo()
    text.add_text(
        "Raw profile type exif", f"\nexif\n{len(metadata) // 2}\n{metadata}\n"
    )
    assert_upright(encode(stored_image(6, 1), pnginfo=text))


BROKEN = {
    "no directory": b"Exif\0\0MM\0*\0\0\xff\xff",
    "cut": exif(6).tobytes()[:-9],
    "other byte order": b"Exif\0\0XX\0*\0\0\0\x08\0\0",
    "text": b"Exif\0\0" + b"x" * 60,
    "endless directories": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\x08",
    "empty": b"Exif\0\0",
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_broken_exif_is_ignored(file_format: str, name: str) -> None:
    assert_upright(encode(stored_image(1, 1), file_format, exif=BROKEN[name]))


@pytest.mark.parametrize("value", [0, 9, 65535])
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_undefined_orientation_is_ignored(file_format: str, value: int) -> None:
    image = stored_image(1, 1)
    if file_format == "TIFF":
        assert_upright(encode(image, "TIFF", tiffinfo={ORIENTATION: value}))
    else:
        assert_upright(encode(image, file_format, exif=exif(value)))
