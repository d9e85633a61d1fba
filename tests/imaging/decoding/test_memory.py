import resource
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factories import encode, run_python, write_files
from PIL import Image

from fruits_pipeline.imaging.canonical import canonicalise
from fruits_pipeline.imaging.decoding.jpeg_header import parse_header
from fruits_pipeline.imaging.decoding.memory import MIB, jpeg_bytes

COLOURS = np.random.default_rng(0).integers(0, 256, (9, 12, 4), np.uint8)
RGBA = Image.fromarray(COLOURS).resize((2400, 1800), Image.Resampling.BILINEAR)
RGB, GREY = RGBA.convert("RGB"), RGBA.convert("L")
GREY_16 = Image.fromarray(np.asarray(GREY).astype(np.uint16) * 257)
UPRIGHT = {0x0112: 6}

PHOTOS: dict[str, tuple[Image.Image, str, dict[str, Any]]] = {
    "JPEG": (RGB, "JPEG", {}),
    "JPEG progressive": (RGB, "JPEG", {"progressive": True, "subsampling": "4:4:4"}),
    "JPEG CMYK": (RGB.convert("CMYK"), "JPEG", {"progressive": True}),
    "PNG": (RGB, "PNG", {}),
    "PNG transparent": (RGBA, "PNG", {}),
    "PNG palette": (RGB.quantize(16), "PNG", {"transparency": 3}),
    "PNG 16 bit": (GREY_16, "PNG", {}),
    "GIF": (RGB, "GIF", {}),
    "BMP": (RGBA, "BMP", {}),
    "WebP": (RGB, "WEBP", {"method": 0}),
    "WebP lossless": (RGBA, "WEBP", {"method": 0, "lossless": True}),
    "WebP in one colour": (Image.new("RGB", (2400, 1800)), "WEBP", {}),
    "AVIF": (RGBA, "AVIF", {"speed": 10, "subsampling": "4:4:4"}),
    "HEIC": (RGB, "HEIF", {"chroma": 444}),
    "TIFF": (RGBA, "TIFF", {"tiffinfo": UPRIGHT}),
    "TIFF LZW": (RGB, "TIFF", {"compression": "tiff_lzw", "tiffinfo": {278: 1800}}),
    "TIFF JPEG": (RGB, "TIFF", {"compression": "jpeg", "strip_size": 10**9}),
    "TIFF deflate": (GREY_16, "TIFF", {"compression": "tiff_adobe_deflate"}),
}

DECODE = """
import os, resource, sys
from pathlib import Path
from fruits_pipeline.imaging.canonical import canonicalise
from fruits_pipeline.imaging.decoding.jpeg_header import parse_header
from fruits_pipeline.imaging.decoding.memory import MIB, jpeg_bytes
from fruits_pipeline.imaging.decoding import memory

def limit_memory(size, required_bytes, max_mib):
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * os.sysconf("SC_PAGE_SIZE") + required_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, unlimited))

_, unlimited = resource.getrlimit(resource.RLIMIT_AS)
for folder in sorted(Path(sys.argv[1]).iterdir()):
    if os.fork() == 0:
        canonicalise((folder / "small").read_bytes(), 16, 100)  # loads the libraries
        memory.check_memory = limit_memory
        photo = canonicalise((folder / "large").read_bytes(), 256, 100)
        print(f"{folder.name}: {photo.error}", flush=True)
        os._exit(0)
    os.wait()
"""


def test_photos_are_decoded_within_the_estimated_memory(tmp_path: Path) -> None:
    for name, (image, file_format, options) in PHOTOS.items():
        small = encode(image.resize((64, 48)), file_format, **options)
        large = encode(image, file_format, **options)
        write_files(tmp_path / "photos" / name, {"small": small, "large": large})
    script = tmp_path / "decode.py"
    script.write_text(DECODE)
    results = run_python(script, tmp_path / "photos").splitlines()
    assert results == [f"{name}: None" for name in sorted(PHOTOS)]


@pytest.mark.parametrize("name", PHOTOS)
def test_photo_above_the_limit_is_rejected_before_it_is_decoded(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, file_format, options = PHOTOS[name]
    content = encode(image, file_format, **options)

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("pixels were decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", fail)
    monkeypatch.setattr("simplejpeg.decode_jpeg", fail)
    photo = canonicalise(content, 256, 16)
    assert photo.error is not None
    assert photo.error.endswith("expected at most decode_memory_mib = 16")
    assert sorted((photo.width, photo.height)) == [1800, 2400]
    assert photo.error.startswith(f"{photo.width} x {photo.height} pixels need ")


def jpeg_of(width: int, height: int, marker: int = 0xC0) -> bytes:
    """Return a JPEG whose header declares a size and a process."""
    content = bytearray(encode(RGB.resize((64, 48)), "JPEG"))
    frame = content.index(b"\xff\xc0")
    content[frame + 1] = marker
    content[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(content)


@pytest.mark.parametrize(("width", "height"), [(12_000, 9_000), (16_320, 12_240)])
def test_baseline_jpeg_of_a_phone_needs_little_memory(width: int, height: int) -> None:
    header = parse_header(jpeg_of(width, height))
    assert header
    assert jpeg_bytes(header, 512) < 80 * MIB


def test_progressive_jpeg_needs_memory_for_all_pixels() -> None:
    header = parse_header(jpeg_of(12_000, 9_000, marker=0xC2))
    assert header
    assert jpeg_bytes(header, 512) > 12_000 * 9_000 * 3


def test_tile_of_a_tiff_counts() -> None:
    tags = {256: 8, 257: 8, 258: 8, 259: 5, 262: 1, 277: 1, 322: 30_000, 323: 30_000}
    tags |= {324: 0, 325: 8}
    entries = (struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    content = b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + b"".join(entries)
    error = canonicalise(content + bytes(4), 256, 320).error
    assert error is not None
    assert error.startswith("8 x 8 pixels need 883 MiB")


def test_gif_is_checked_before_it_is_opened() -> None:
    frames = [GREY.resize((64, 48)), GREY.resize((64, 48)).rotate(90)]
    options = {"save_all": True, "append_images": frames[1:], "disposal": 2}
    content = bytearray(encode(frames[0], "GIF", **options))
    content[6:10] = struct.pack("<HH", 65_535, 65_535)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    error = canonicalise(bytes(content), 256, 320).error
    assert error is not None
    assert "65535 x 65535 pixels need" in error
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024
