"""Decoded photos, and the metadata that change their picture."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import ExifTags, Image

from fruits_pipeline.imaging.decoding import colour

# Values of the EXIF tag Orientation: CIPA DC-008-2019, section 4.6.4.
_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDES_SWAPPED = (5, 6, 7, 8)


@dataclass(frozen=True)
class Photo:
    """A decoded photo.

    Attributes:
        width: Width of the original photo, upright, in pixels.
        height: Height of the original photo, upright, in pixels.
        image: The photo, upright, in sRGB.
    """

    width: int
    height: int
    image: Image.Image


@dataclass(frozen=True)
class Metadata:
    """Metadata that change the picture.

    Attributes:
        orientation: Value of the EXIF tag; 1 if the photo is upright.
        profile: ICC profile; None if there is none.
    """

    orientation: int = 1
    profile: bytes | None = None


def read_orientation(image: Image.Image) -> int:
    """Return the orientation of an open image; 1 if it is undefined or damaged."""
    try:
        orientation = int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # damaged metadata do not affect the pixels
        return 1
    return orientation if orientation in _TRANSPOSITIONS else 1


def apply_metadata(
    image: Image.Image, size: tuple[int, int], metadata: Metadata
) -> Photo:
    """Make an image upright, and convert its colours to sRGB.

    Args:
        image: The image, decoded as stored, reduced or not.
        size: Width and height of the photo, as stored.
        metadata: The metadata of the photo.
    """
    width, height = size
    if metadata.orientation in _SIDES_SWAPPED:
        width, height = height, width
    if metadata.orientation in _TRANSPOSITIONS:
        image = image.transpose(_TRANSPOSITIONS[metadata.orientation])
    return Photo(width, height, colour.to_srgb(image, metadata.profile))
