"""Decode photos: the function through which all files of unknown origin are decoded."""

from __future__ import annotations

import io
import warnings

import numpy as np
from PIL import Image

from fruits_pipeline.imaging.decoding import bands, jpeg, memory, webp
from fruits_pipeline.imaging.decoding.errors import PhotoError
from fruits_pipeline.imaging.decoding.jpeg_header import JpegHeader, parse_header
from fruits_pipeline.imaging.decoding.photo import (
    Metadata,
    Photo,
    apply_metadata,
    read_orientation,
)
from fruits_pipeline.imaging.decoding.pillow import read_with_pillow


def read_photo(
    content: bytes, short_side: int, max_mib: int, accept_damage: bool = False
) -> Photo:
    """Decode a photo, and shrink it to a shorter side of at most `short_side` pixels.

    Ordinary JPEGs are decoded by libjpeg-turbo, and all other photos by Pillow.

    Args:
        content: The file.
        short_side: Maximum shorter side of the result, in pixels.
        max_mib: Maximum memory for decoding, in MiB.
        accept_damage: Whether to return the intact part of a damaged photo.

    Raises:
        PhotoError: The file is not a photo, is damaged, or needs too much memory.
    """
    if not content:
        raise PhotoError("empty file (0 bytes)")
    header = parse_header(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of damaged metadata
        if header and header.is_ordinary:
            return _read_jpeg(content, header, short_side, max_mib, accept_damage)
        photo = read_with_pillow(content, short_side, max_mib, accept_damage)
        # This may decode a WebP again, so its image has been released.
        if not accept_damage and webp.has_lost_part(content):
            size = (photo.width, photo.height)
            raise PhotoError("damaged WebP: pixels are missing", size)
        return photo


def _read_jpeg(
    content: bytes,
    header: JpegHeader,
    short_side: int,
    max_mib: int,
    accept_damage: bool,
) -> Photo:
    min_side = 2 * short_side
    required = memory.jpeg_bytes(header, min_side)
    memory.check_memory(header.size, required, max_mib)
    try:
        decode = jpeg.decode_damaged if accept_damage else jpeg.decode
        pixels = decode(content, header, min_side)
    except jpeg.UnsupportedJpegError:
        return read_with_pillow(content, short_side, max_mib, accept_damage)
    metadata = read_jpeg_metadata(content) if header.has_metadata else Metadata()
    image = bands.shrink(_from_jpeg(pixels, header.mode), short_side, _keep)
    return apply_metadata(image, header.size, metadata)


def _from_jpeg(pixels: np.ndarray, mode: str | None) -> Image.Image:
    if mode == "CMYK":  # JPEGs store the complement of CMYK, as Photoshop does
        size = (pixels.shape[1], pixels.shape[0])
        return Image.frombytes("CMYK", size, pixels.tobytes(), "raw", "CMYK;I")
    return Image.fromarray(pixels[..., 0] if mode == "L" else pixels)


def _keep(image: Image.Image) -> Image.Image:
    return image


def read_jpeg_metadata(content: bytes) -> Metadata:
    """Return the metadata of a JPEG; damaged metadata is ignored."""
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
            return Metadata(read_orientation(image), image.info.get("icc_profile"))
    except Exception:  # Pillow raises many types for damaged metadata
        return Metadata()
