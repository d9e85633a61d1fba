import gzip
import io
import struct
import zipfile

import numpy as np
import pytest
from factories import encode
from photo_files import PNG_SIGNATURE, accepted, rejected, textured
from tiff_files import tiff

EXPECTED = "; expected JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC"
IMAGE = textured((40, 30))


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("photo.jpg", encode(IMAGE, "JPEG"))
    return buffer.getvalue()


def ftyp(brand: bytes) -> bytes:
    """Return the first box of an ISO base media file."""
    return struct.pack(">I", 24) + b"ftyp" + brand + bytes(4) + brand * 2 + bytes(900)


NOT_PHOTOS = {
    "EPS": (encode(IMAGE, "EPS"), "PostScript document"),
    "EPS with preview": (b"\xc5\xd0\xd3\xc6" + bytes(40), "PostScript document"),
    "PDF": (encode(IMAGE, "PDF"), "PDF document"),
    "JPEG 2000": (encode(IMAGE, "JPEG2000"), "JPEG 2000 image"),
    "JPEG 2000 without boxes": (
        encode(IMAGE, "JPEG2000", no_jp2=True),
        "JPEG 2000 image",
    ),
    "icon": (encode(IMAGE, "ICO"), "icon"),
    "Photoshop": (b"8BPS\0\1" + bytes(40), "Photoshop document"),
    "JPEG XL": (b"\xff\x0a" + bytes(40), "JPEG XL image"),
    "JPEG XL with boxes": (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40), "JPEG XL image"),
    "OpenEXR": (b"v/1\x01\x02\0\0\0" + bytes(40), "OpenEXR image"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG drawing"),
    "SVG with declaration": (b"<?xml version='1.0'?><svg/>", "XML document"),
    "HTML": (b"\r\n <!DOCTYPE html><title>404</title>", "HTML page"),
    "HTML without declaration": (b"<HTML><body>", "HTML page"),
    "HTML with byte order mark": (b"\xef\xbb\xbf<html>", "HTML page"),
    "JSON": (b'{"error": "not found"}', "JSON document"),
    "zip": (archive(), "zip archive"),
    "gzip": (gzip.compress(encode(IMAGE, "JPEG")), "gzip archive"),
    "MP4": (ftyp(b"isom"), "video or camera raw file"),
    "QuickTime": (ftyp(b"qt  "), "video or camera raw file"),
    "CR3": (ftyp(b"crx "), "video or camera raw file"),
    "Matroska": (b"\x1a\x45\xdf\xa3" + bytes(40), "video"),
    "AppleDouble": (
        b"\0\x05\x16\x07\0\x02\0\0Mac OS X" + bytes(40),
        "AppleDouble file of macOS, without a photo",
    ),
    "Git LFS": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        "Git LFS pointer; run `git lfs pull`",
    ),
    "Fujifilm": (b"FUJIFILMCCD-RAW 0201" + bytes(40), "camera raw file"),
    "zeros": (bytes(5000), "5000 zero bytes"),
    "text": (b"Dear reader", "unknown format, begins with b'Dear reader'"),
}


@pytest.mark.parametrize("name", NOT_PHOTOS)
def test_error_names_the_format(name: str) -> None:
    content, expected = NOT_PHOTOS[name]
    assert rejected(content) == expected + EXPECTED


@pytest.mark.parametrize("file_format", ["PPM", "TGA", "PCX", "SGI", "DDS", "MSP"])
def test_other_formats_of_pillow_are_not_decoded(file_format: str) -> None:
    mode = "1" if file_format == "MSP" else "RGB"
    error = rejected(encode(IMAGE.convert(mode), file_format))
    assert error.startswith("unknown format, begins with b")
    assert error.endswith(EXPECTED)


def test_empty_file_is_rejected() -> None:
    assert rejected(b"") == "empty file (0 bytes)"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\xff\xd8", "JPEG"),
        (b"\xff\xd8\xff", "JPEG"),
        (b"\xff\xd8" + bytes(100), "JPEG"),
        (PNG_SIGNATURE, "PNG"),
        (PNG_SIGNATURE + bytes(100), "PNG"),
        (b"GIF89a", "GIF"),
        (b"BM" + bytes(60), "BMP"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "WebP"),
        (b"II*\0\x08\0\0\0", "TIFF"),
        (b"MM\0*\xff\xff\xff\xff", "TIFF"),
        (b"II+\0\x08\0\0\0", "TIFF"),
        (ftyp(b"heic"), "HEIC"),
        (ftyp(b"avif"), "AVIF"),
    ],
    ids=str,
)
def test_damaged_header_is_reported_with_the_format(content: bytes, name: str) -> None:
    expected = (f"damaged {name}: ", f"damaged or unsupported {name}: ")
    assert rejected(content).startswith(expected)


RGB_TAGS = {258: [8] * 3, 262: [2], 277: [3]}
PIXELS = np.asarray(IMAGE).tobytes()


@pytest.mark.parametrize(
    "tags",
    [{50706: b"\1\4\0\0"}, {254: [1], 330: [8]}, {254: [1], 50706: b"\1\4\0\0"}],
    ids=["DNG", "thumbnail first", "DNG with a thumbnail"],
)
def test_camera_raw_file_is_rejected(tags: dict[int, bytes]) -> None:
    content = tiff([PIXELS], (40, 30), {**RGB_TAGS, **tags})
    assert rejected(content) == "camera raw file" + EXPECTED


def test_single_image_that_is_marked_as_thumbnail_is_accepted() -> None:
    accepted(tiff([PIXELS], (40, 30), {**RGB_TAGS, 254: [1]}))


def test_cr2_is_rejected() -> None:
    ordinary = tiff([b"CR\2\0" + bytes(12) + PIXELS], (40, 30), RGB_TAGS)
    assert rejected(ordinary) == "camera raw file" + EXPECTED
