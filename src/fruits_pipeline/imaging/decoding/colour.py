"""Convert images to opaque sRGB."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

_WHITE = (255, 255, 255, 255)
_SRGB = ImageCms.createProfile("sRGB")
_LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
_GREY = ("1", "L", "LA", "La")

_IDENTITY_TOLERANCE = 1
"""Largest difference, of 255 levels, between a profile and sRGB that is ignored."""


def flatten(image: Image.Image, has_alpha: bool) -> Image.Image:
    """Return an opaque image of mode L, RGB or CMYK, in the image's own colour space.

    Args:
        image: Image with 8 bits per sample or less.
        has_alpha: Whether to show transparent pixels as white; else they are opaque.
    """
    target = "L" if image.mode in _GREY else "RGB"
    if image.mode == "La":
        image = image.convert("LA")
    if has_alpha and image.has_transparency_data:
        rgba = image.convert("RGBA")
        background = Image.new("RGBA", rgba.size, _WHITE)
        return Image.alpha_composite(background, rgba).convert(target)
    if image.mode == "LAB":
        converted = ImageCms.applyTransform(image, _build(_LAB, "LAB"))
        return converted or image.convert("RGB")
    return image if image.mode in (target, "CMYK") else image.convert(target)


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert an image of mode L, RGB or CMYK to sRGB.

    Args:
        image: The image.
        profile: Its ICC profile. A profile that is damaged, or for another kind of
            image, is ignored.
    """
    rgb = image if image.mode == "RGB" else image.convert("RGB")
    for candidate in (image, rgb) if profile else ():
        if transform := _transform(profile, candidate.mode):
            return ImageCms.applyTransform(candidate, transform) or rgb
    return rgb


def is_srgb(profile: bytes) -> bool:
    """Return whether an ICC profile is ignored for RGB images, or equal to sRGB."""
    return _transform(profile, "RGB") is None


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return the transform to sRGB; None if there is none, or if it changes nothing."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = _build(source, mode)
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None
    return None if mode == "RGB" and _is_identity(transform) else transform


def _build(source: ImageCms.ImageCmsProfile, mode: str) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(source, _SRGB, mode, "RGB")


def _is_identity(transform: ImageCms.ImageCmsTransform) -> bool:
    """Return whether a transform changes none of 729 colours by more than a level."""
    steps = np.linspace(0, 255, 9).round().astype(np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(27, 27, 3)
    converted = ImageCms.applyTransform(Image.fromarray(colours), transform)
    difference = np.asarray(converted).astype(int) - colours
    return bool(np.abs(difference).max() <= _IDENTITY_TOLERANCE)
