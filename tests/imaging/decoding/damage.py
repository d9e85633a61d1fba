"""Count damaged photos that are accepted: `python tests/imaging/decoding/damage.py`.

Prints the table of docs/photos.md: of 100 photos with each kind of damage, those that are
accepted although more than 1 % of their pixels have changed by more than 16 levels.
"""

from __future__ import annotations

import io
import os
import random
import sys
from typing import Any

import click
import numpy as np
from PIL import Image

from fruits_pipeline.imaging.canonical import canonicalise

PHOTOS = 100
SECTOR = 512
MIN_LEVELS, MIN_SHARE = 16, 0.01

FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "JPEG": ("JPEG", {}),
    "JPEG, progressive": ("JPEG", {"progressive": True}),
    "PNG": ("PNG", {}),
    "HEIC": ("HEIF", {}),
    "AVIF": ("AVIF", {}),
    "WebP": ("WEBP", {}),
    "WebP, lossless": ("WEBP", {"lossless": True}),
    "GIF": ("GIF", {}),
    "TIFF, deflate": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "TIFF, LZW": ("TIFF", {"compression": "tiff_lzw"}),
    "TIFF, PackBits": ("TIFF", {"compression": "packbits"}),
    "TIFF, JPEG": ("TIFF", {"compression": "jpeg"}),
}


def _flip_bit(content: bytearray, at: int) -> None:
    content[at] ^= 1 << at % 8


def _zero_sector(content: bytearray, at: int) -> None:
    content[at : at + SECTOR] = bytes(min(SECTOR, len(content) - at))


def _truncate(content: bytearray, at: int) -> None:
    del content[at:]


KINDS = {"bit": _flip_bit, "sector": _zero_sector, "end": _truncate}


def _photo(seed: int) -> Image.Image:
    """Return a picture of smooth colours and noise, 400 x 300 px."""
    rng = np.random.default_rng(seed)
    colours = Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8))
    smooth = np.asarray(colours.resize((400, 300), Image.Resampling.BICUBIC))
    noise = rng.normal(0, 4, smooth.shape)
    return Image.fromarray((smooth + noise).clip(0, 255).astype(np.uint8))


def _pixels(content: bytes) -> np.ndarray | None:
    image = canonicalise(content, 256, 320).image
    return (
        None if image is None else np.asarray(Image.open(io.BytesIO(image))).astype(int)
    )


def _is_accepted_with_changes(content: bytes, original: np.ndarray) -> bool:
    pixels = _pixels(content)
    if pixels is None:
        return False
    if pixels.shape != original.shape:
        return True
    changed = np.abs(pixels - original).max(axis=2) > MIN_LEVELS
    return bool(changed.mean() > MIN_SHARE)


@click.command()
def main() -> None:
    """Count damaged photos that are accepted, by format and kind of damage."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # libtiff's messages
    click.echo(
        "| format | changed bit | zeroed sector | truncation |\n|---|---:|---:|---:|"
    )
    for name, (file_format, options) in FORMATS.items():
        counts = dict.fromkeys(KINDS, 0)
        for seed in range(PHOTOS):
            file = io.BytesIO()
            _photo(seed % 10).save(file, file_format, **options)
            content = file.getvalue()
            original = _pixels(content)
            assert original is not None
            at = random.Random(seed).randrange(len(content) // 10, len(content) - 16)  # noqa: S311
            for kind, damage in KINDS.items():
                damaged = bytearray(content)
                damage(damaged, at)
                counts[kind] += _is_accepted_with_changes(bytes(damaged), original)
        click.echo("| " + " | ".join([name, *map(str, counts.values())]) + " |")


if __name__ == "__main__":
    main()
