"""Decode photos with Pillow, with the decoder of one of `FORMATS`."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import pillow_heif
from PIL import AvifImagePlugin, Image, ImageFile, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from fruits_pipeline.imaging.decoding import bands, colour, gif, memory, png, tiff
from fruits_pipeline.imaging.decoding.errors import PhotoError
from fruits_pipeline.imaging.decoding.identification import check_no_raw, describe
from fruits_pipeline.imaging.decoding.integrity import check_integrity
from fruits_pipeline.imaging.decoding.photo import (
    Metadata,
    Photo,
    apply_metadata,
    read_orientation,
)
from fruits_pipeline.imaging.decoding.samples import (
    SampleRange,
    sample_range,
    to_8_bits,
    to_little_endian,
)

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "GIF", "TIFF", "AVIF", "HEIF")

AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # Spark runs one task for each CPU

# Memory is limited before pixels are decoded, by `imaging.memory`.
Image.MAX_IMAGE_PIXELS = None
pillow_heif.register_heif_opener(
    thumbnails=False, depth_images=False, aux_images=False, decode_threads=1
)


def read_with_pillow(
    content: bytes, short_side: int, max_mib: int, accept_damage: bool
) -> Photo:
    """Decode a photo; see `reading.read_photo`."""
    profile = None
    if content.startswith(png.SIGNATURE) and not accept_damage:
        content, profile = png.tidy(content)
    if content.startswith(gif.SIGNATURE):
        _check_gif(content, max_mib)
    with _open(content) as image:
        if isinstance(image, TiffImageFile):
            check_no_raw(image, content)
        required = memory.image_bytes(image, len(content), short_side)
        memory.check_memory(image.size, required, max_mib)
        _load(image, accept_damage)
        if not accept_damage:
            check_integrity(image, content)
        tiff.correct_palette(image)
        if image.format == "PNG":
            png.reduce_transparency(image, content)
        # Pillow makes TIFFs upright when it loads them. So size and orientation are read
        # after that.
        profile = profile or image.info.get("icc_profile")
        metadata = Metadata(read_orientation(image), profile)
        try:
            samples = sample_range(image, content)
        except PhotoError as exc:
            raise PhotoError(str(exc), image.size) from exc
        convert = partial(_convert, samples=samples, has_alpha=_has_alpha(image))
        pixels = bands.shrink(to_little_endian(image), short_side, convert)
        return apply_metadata(pixels, image.size, metadata)


def _check_gif(content: bytes, max_mib: int) -> None:
    try:
        size = gif.read_size(content)
    except (IndexError, struct.error):
        raise PhotoError("damaged GIF: ends before its pixels") from None
    memory.check_memory(size, memory.gif_bytes(size), max_mib)


def _open(content: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError:
        raise PhotoError(describe(content)) from None
    except Exception as exc:  # Pillow raises many types for damaged files
        raise PhotoError(f"{describe(content)}: {exc}") from exc


def _load(image: Image.Image, accept_damage: bool) -> None:
    with tiff.captured_messages(image) as messages:
        try:
            with _truncated_images_loaded(accept_damage):
                image.load()
        except MemoryError:
            raise PhotoError("not enough memory to decode it", image.size) from None
        except Exception as exc:  # Pillow raises many types for damaged files
            reason = messages() or str(exc) or type(exc).__name__
            raise PhotoError(f"damaged {image.format}: {reason}", image.size) from exc


@contextmanager
def _truncated_images_loaded(value: bool) -> Iterator[None]:
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = value
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _has_alpha(image: Image.Image) -> bool:
    """Return whether transparent pixels are meant to be transparent.

    Many programs write BMPs with an alpha channel that they leave at zero.
    """
    if image.format in ("BMP", "DIB") and image.mode == "RGBA":
        return bool(np.max(image.getextrema()[-1]))
    return True


def _convert(
    image: Image.Image, samples: SampleRange | None, has_alpha: bool
) -> Image.Image:
    if samples:
        image = to_8_bits(image, samples)
    return colour.flatten(image, has_alpha)
