"""Decode mutated photos in monitored processes: `make fuzz`.

Each mutant must be accepted or rejected, without a crash, without a hang, and within the
memory limit. Mutants are reproducible by their number.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import random
import resource
import signal
import struct
import sys
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import click
import numpy as np
from PIL import Image

from fruits_pipeline.imaging.canonical import canonicalise, decode

SHORT_SIDE = 64
MAX_MIB = 64
MAX_SECONDS = 2.0  # of CPU time
WRONG_RESULT, TOO_MUCH_MEMORY = 3, 4
REASONS = {
    WRONG_RESULT: "neither accepted nor rejected",
    TOO_MUCH_MEMORY: f"more than {MAX_MIB} MiB",
    -signal.SIGPROF: f"more than {MAX_SECONDS} s",
}
SLACK_MIB = 32  # fragmentation, and the modules that Pillow imports for each format

PNG = b"\x89PNG\r\n\x1a\n"
VALUES = [
    b"\0",
    b"\xff",
    b"\x7f\xff",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    bytes(64),
]
MARKERS = bytes([*range(0xC0, 0xD0), 0xD8, 0xD9, 0xDA, 0xDB, 0xDD, 0xE1, 0xE2, 0xEE])


class Failure(NamedTuple):
    """A mutant that was neither accepted nor rejected, and why."""

    number: int
    reason: str


@cache
def seeds() -> list[bytes]:
    """Return small photos of each format, mode and compression."""
    colours = np.random.default_rng(0).integers(0, 256, (6, 8, 4), np.uint8)
    image = Image.fromarray(colours).resize((72, 96), Image.Resampling.BICUBIC)
    rgb, grey = image.convert("RGB"), image.convert("L")
    grey_16 = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112] = 6
    variants: list[tuple[str, Image.Image, dict[str, Any]]] = [
        ("JPEG", rgb, {}),
        ("JPEG", rgb, {"progressive": True, "exif": exif}),
        ("JPEG", rgb, {"subsampling": "4:4:4", "restart_marker_rows": 1}),
        ("JPEG", grey, {}),
        ("JPEG", rgb.convert("CMYK"), {}),
        ("MPO", rgb, {"save_all": True, "append_images": [rgb]}),
        ("PNG", image, {"exif": exif}),
        ("PNG", grey_16, {}),
        ("PNG", rgb.quantize(16), {"transparency": 3}),
        ("GIF", rgb, {"save_all": True, "append_images": [rgb]}),
        ("WEBP", image, {"method": 0}),
        ("WEBP", rgb, {"lossless": True, "method": 0}),
        ("WEBP", rgb, {"save_all": True, "append_images": [grey], "method": 0}),
        ("AVIF", image, {"speed": 10}),
        ("HEIF", image, {"exif": exif.tobytes()}),
        ("BMP", rgb, {}),
        ("BMP", image, {}),
        ("TIFF", grey_16, {}),
        *(
            ("TIFF", rgb, {"compression": name, "exif": exif})
            for name in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
        ),
    ]
    return [*(_encode(*variant) for variant in variants), _lossless_jpeg(60, 900)]


def _encode(file_format: str, image: Image.Image, options: dict[str, Any]) -> bytes:
    content = io.BytesIO()
    image.save(content, file_format, **options)
    return content.getvalue()


def _lossless_jpeg(width: int, height: int) -> bytes:
    """Return a grey RGB JPEG of process 14 (ITU-T T.81, annex H); each difference is 0."""
    components = b"R\x11\0G\x11\0B\x11\0"
    frame = b"\x08" + struct.pack(">HHB", height, width, 3) + components
    tables = b"\0\1" + bytes(15) + b"\0"  # one code of one bit, for the difference 0
    segments = ((0xC3, frame), (0xC4, tables), (0xDA, b"\3R\0G\0B\0\1\0\0"))
    header = b"".join(
        struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body
        for marker, body in segments
    )
    return b"\xff\xd8" + header + bytes(width * height * 3 // 8) + b"\xff\xd9"


def mutant(number: int) -> bytes:
    """Return the mutant with this number: a photo with one to four changes."""
    rng = random.Random(number)  # noqa: S311 - not for cryptography
    content = bytearray(rng.choice(seeds()))
    for _ in range(rng.randint(1, 4)):
        _change(content, rng)
    if rng.random() < 0.8:  # else nearly all PNGs are rejected for their checksums
        _correct_checksums(content)
    return bytes(content)


def _correct_checksums(content: bytearray) -> None:
    """Correct the checksums of a PNG as far as its chunks can be followed."""
    position = len(PNG)
    while content.startswith(PNG) and position + 12 <= len(content):
        end = position + 8 + int.from_bytes(content[position : position + 4], "big")
        if end + 4 > len(content):
            return
        crc = zlib.crc32(content[position + 4 : end])
        content[end : end + 4] = crc.to_bytes(4, "big")
        position = end + 4


def _change(content: bytearray, rng: random.Random) -> None:
    # Headers are short, and changes to them have the largest effects.
    end = len(content) if rng.random() < 0.5 else min(len(content), 400)
    at = rng.randrange(max(1, end))
    length = rng.choice((1, 2, 4, 16, 256))
    match rng.randrange(7):
        case 0:
            content[at : at + 1] = bytes([rng.randrange(256)])
        case 1:
            value = rng.choice(VALUES)
            content[at : at + len(value)] = value
        case 2:
            content[at : at + length] = rng.randbytes(length)
        case 3:
            del content[at : at + length]
        case 4:
            content[at:at] = content[at : at + length] * rng.choice((1, 2, 50))
        case 5:
            other = rng.choice(seeds())
            content[at:] = other[rng.randrange(len(other)) :]
        case 6:
            position = content.find(0xFF, at)
            content[position + 1 : position + 2] = bytes([rng.choice(MARKERS)])


def fuzz(first: int, last: int) -> Iterator[Failure]:
    """Decode the mutants from `first` to `last` - 1; yield those that fail."""
    context = multiprocessing.get_context("spawn")
    while first < last:
        current = context.Value("q", first)
        process = context.Process(target=_decode_all, args=(current, last))
        process.start()
        process.join()
        if process.exitcode == 0:
            return
        yield Failure(current.value, REASONS.get(process.exitcode, "crash"))
        first = current.value + 1


def _decode_all(current: Any, last: int) -> None:
    """Decode mutants in this process, which a mutant may end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # libtiff's messages
    limit = 0
    while current.value < last:
        signal.setitimer(signal.ITIMER_PROF, MAX_SECONDS)
        photo = canonicalise(mutant(current.value), SHORT_SIDE, MAX_MIB)
        if photo.image:
            decode(photo.image)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        limit = limit or peak + MAX_MIB + SLACK_MIB
        if (photo.image is None) == (photo.error is None):
            sys.exit(WRONG_RESULT)
        if peak > limit:
            sys.exit(TOO_MUCH_MEMORY)
        current.value += 1


@click.command()
@click.option("--mutants", default=100_000, show_default=True)
@click.option(
    "--first", default=0, show_default=True, help="Number of the first mutant."
)
@click.option("--processes", default=2, show_default=True)
def main(mutants: int, first: int, processes: int) -> None:
    """Decode mutated photos, and list those that crash, hang or need too much memory."""
    bounds = np.linspace(first, first + mutants, processes + 1).astype(int).tolist()
    started = time.monotonic()
    with ThreadPoolExecutor(processes) as pool:
        results = pool.map(lambda b: [*fuzz(*b)], pairwise(bounds))
    failures = [failure for result in results for failure in result]
    for failure in failures:
        click.echo(f"{failure.number}: {failure.reason}")
    seconds = time.monotonic() - started
    click.echo(f"{mutants:,} mutants in {seconds:.0f} s, {len(failures)} failures")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
