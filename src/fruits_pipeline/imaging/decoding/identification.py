"""Describe files that are not photos, for error messages."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

from fruits_pipeline.imaging.decoding.errors import PhotoError
from fruits_pipeline.imaging.decoding.jpeg_header import parse_header

_CONVERT = "convert the photo to JPEG or PNG with 8 bits"
_EXPECTED = "expected JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC"

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PHOTOS = {
    b"\xff\xd8": "JPEG",
    b"\x89PNG": "PNG",
    b"GIF8": "GIF",
    b"BM": "BMP",
}
"""First bytes of formats that are read, to report that a header is damaged."""

_OTHERS = {
    b"\x00\x00\x00\x0cjP  ": "JPEG 2000 image",
    b"\xff\x4f\xff\x51": "JPEG 2000 image",
    b"\x00\x00\x00\x0cJXL ": "JPEG XL image",
    b"\xff\x0a": "JPEG XL image",
    b"8BPS": "Photoshop document",
    b"%!PS": "PostScript document",
    b"\xc5\xd0\xd3\xc6": "PostScript document",
    b"%PDF": "PDF document",
    b"\x00\x00\x01\x00": "icon",
    b"v/1\x01": "OpenEXR image",
    b"#?RADIANCE": "Radiance HDR image",
    b"gimp xcf": "GIMP image",
    b"FUJIFILMCCD-RAW": "camera raw file",
    b"IIRO": "camera raw file",
    b"IIU\x00": "camera raw file",
    b"FOVb": "camera raw file",
    b"PK\x03\x04": "zip archive",
    b"\x1f\x8b": "gzip archive",
    b"7z\xbc\xaf": "7z archive",
    b"Rar!": "rar archive",
    b"\x00\x05\x16\x07": "AppleDouble file of macOS, without a photo",
    b"version https://git-lfs": "Git LFS pointer; run `git lfs pull`",
    b"<!doctype html": "HTML page",
    b"<html": "HTML page",
    b"<svg": "SVG drawing",
    b"<?xml": "XML document",
    b"{": "JSON document",
    b"\x1a\x45\xdf\xa3": "video",
}
"""First bytes of other files, in lower case for text."""

_BRANDS = {
    b"avif": "AVIF",
    b"avis": "AVIF",
    b"heic": "HEIC",
    b"heix": "HEIC",
    b"mif1": "HEIC",
}
"""Brands of files with a box `ftyp` that are read; others are videos or raw files."""

_DNG_VERSION, _SUBFILE_TYPE, _SUB_IMAGES, _THUMBNAIL = 50706, 254, 330, 1
_COMPRESSIONS = (1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946, 34925, 50000)
_WIDTH, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _FORMAT = (
    256,
    258,
    259,
    262,
    277,
    339,
)
_NUMBER_NAMES = {1: "unsigned", 2: "signed", 3: "floating-point"}


def describe(content: bytes) -> str:
    """Return what a file is that Pillow cannot open, and what was expected."""
    if content.startswith(_TIFF):
        return _describe_tiff(content)
    if (jpeg := parse_header(content)) and not jpeg.is_ordinary:
        return (
            f"unsupported JPEG: samples of {jpeg.bits} bits, {jpeg.components} per "
            f"pixel; {_CONVERT}"
        )
    if photo := _photo_format(content):
        return f"damaged or unsupported {photo}: its header cannot be read"
    return f"{_other_format(content)}; {_EXPECTED}"


def _photo_format(content: bytes) -> str | None:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WebP"
    if content[4:8] == b"ftyp":
        box = content[8 : int.from_bytes(content[:4], "big")]
        brands = (box[i : i + 4] for i in range(0, len(box), 4))
        return next((_BRANDS[b] for b in brands if b in _BRANDS), None)
    found = (name for start, name in _PHOTOS.items() if content.startswith(start))
    return next(found, None)


def _other_format(content: bytes) -> str:
    if not content.strip(b"\0"):
        return f"{len(content)} zero bytes"
    if content[4:8] == b"ftyp":
        return "video or camera raw file"
    text = content[:64].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    found = (
        n for s, n in _OTHERS.items() if content.startswith(s) or text.startswith(s)
    )
    return next(found, f"unknown format, begins with {content[:12]!r}")


def check_no_raw(image: TiffImageFile, content: bytes) -> None:
    """Raise if the first image of a TIFF is a thumbnail, as in camera raw files.

    Raises:
        PhotoError: It is one, or the compression is not supported.
    """
    tags = image.tag_v2
    is_thumbnail = tags.get(_SUBFILE_TYPE, 0) & _THUMBNAIL
    is_raw = _DNG_VERSION in tags or content[8:10] == b"CR"
    if tags.get(_COMPRESSION, 1) not in _COMPRESSIONS:
        raise PhotoError(describe(content))
    if is_raw or is_thumbnail and _SUB_IMAGES in tags:
        raise PhotoError(f"camera raw file; {_EXPECTED}")
    if is_thumbnail and image.n_frames > 1:
        raise PhotoError("TIFF whose first image is a thumbnail; store the photo first")


def _describe_tiff(content: bytes) -> str:
    if content.startswith(b"MM\0+"):
        return "unsupported TIFF: BigTIFF in big-endian byte order; convert the photo"
    try:
        tags = _read_tags(content)
        bits, samples = tags.get(_BITS, (1,)), tags.get(_SAMPLES, 1)
        number = _NUMBER_NAMES.get(max(tags.get(_FORMAT, (1,))), "undefined")
        if _WIDTH not in tags:
            raise ValueError
        if tags.get(_COMPRESSION, 1) not in _COMPRESSIONS:
            return f"unsupported TIFF: compression {tags[_COMPRESSION]}; {_CONVERT}"
        return (
            f"unsupported TIFF: {number} samples of {max(bits)} bits, {samples} per pixel, "
            f"photometric interpretation {tags.get(_PHOTOMETRIC)}, compression "
            f"{tags.get(_COMPRESSION, 1)}; {_CONVERT}"
        )
    except Exception:  # Pillow raises many types for damaged files
        return "damaged TIFF: its header cannot be read"


def _read_tags(content: bytes) -> Mapping[int, Any]:
    file = io.BytesIO(content)
    directory = ImageFileDirectory_v2(file.read(16 if content[2:3] == b"+" else 8))
    file.seek(directory.next)
    directory.load(file)
    return directory
