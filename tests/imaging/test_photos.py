import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from fruits_pipeline.imaging.photos import Canonical, canonicalise, fit

JPEG_ERROR = 6
"""Largest difference that JPEG may make to a flat colour, of 255."""

RED, GREEN, BLUE, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128)
WHITE = (255, 255, 255)


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def canonical(content: bytes, short_side: int = 256) -> Canonical:
    return canonicalise(content, short_side, max_pixels=10_000_000)


def pixels(photo: Canonical) -> np.ndarray:
    assert photo.error is None
    assert photo.image is not None
    with Image.open(io.BytesIO(photo.image)) as image:
        assert (image.format, image.mode) == ("JPEG", "RGB")
        return np.asarray(image)


def assert_colour(photo: Canonical, expected: tuple[int, int, int]) -> None:
    middle = pixels(photo)[8, 8].astype(int)
    np.testing.assert_allclose(middle, expected, atol=JPEG_ERROR)


def palette_image(transparent: bool = False) -> bytes:
    image = Image.new("P", (16, 16), 1)
    image.putpalette([*BLUE, *RED])
    return encoded(image, transparency=1) if transparent else encoded(image)


MODES: dict[str, tuple[bytes, tuple[int, int, int]]] = {
    "1": (encoded(Image.new("1", (16, 16), 1)), WHITE),
    "L": (encoded(Image.new("L", (16, 16), 128)), GREY),
    "P": (palette_image(), RED),
    "P transparent": (palette_image(transparent=True), WHITE),
    "L transparent": (
        encoded(Image.new("L", (16, 16), 128), transparency=128),
        WHITE,
    ),
    "RGB transparent": (
        encoded(Image.new("RGB", (16, 16), RED), transparency=RED),
        WHITE,
    ),
    "LA clear": (encoded(Image.new("LA", (16, 16), (0, 0))), WHITE),
    "LA solid": (encoded(Image.new("LA", (16, 16), (128, 255))), GREY),
    "RGBA clear": (encoded(Image.new("RGBA", (16, 16), (0, 0, 0, 0))), WHITE),
    "RGBA half": (encoded(Image.new("RGBA", (16, 16), (0, 0, 0, 127))), GREY),
    "RGB": (encoded(Image.new("RGB", (16, 16), GREEN)), GREEN),
    "CMYK JPEG": (encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG"), RED),
    "grey JPEG": (encoded(Image.new("L", (16, 16), 128), "JPEG"), GREY),
    "WebP": (encoded(Image.new("RGBA", (16, 16), (0, 0, 0, 0)), "WEBP"), WHITE),
    "BMP": (encoded(Image.new("RGB", (16, 16), BLUE), "BMP"), BLUE),
    "AVIF": (encoded(Image.new("RGB", (16, 16), GREY), "AVIF"), GREY),
}


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_becomes_rgb_and_what_is_transparent_becomes_white(
    mode: str,
) -> None:
    content, expected = MODES[mode]
    assert_colour(canonical(content), expected)


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
@pytest.mark.parametrize(("deep", "expected"), [(65535, 255), (32768, 128), (0, 0)])
def test_a_photo_of_16_bits_keeps_its_brightness(
    form: str, deep: int, expected: int
) -> None:
    image = Image.fromarray(np.full((16, 16), deep, np.uint16))
    assert image.mode == "I;16"
    assert_colour(canonical(encoded(image, form)), (expected,) * 3)


def test_a_photo_of_floats_is_refused_in_words() -> None:
    content = encoded(Image.fromarray(np.ones((16, 16), np.float32)), "TIFF")
    error = canonical(content).error
    assert error == "cannot be decoded: pixels of 32-bit floats have no known white"


def test_an_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, GREEN, BLUE)]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert_colour(canonical(content), RED)


QUARTERS = {"red": RED, "green": GREEN, "blue": BLUE, "white": WHITE}
UPRIGHT = np.array([["red", "green"], ["blue", "white"]])
AS_STORED: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.T,
    6: lambda a: np.rot90(a, 1),
    7: lambda a: np.rot90(a, 2).T,
    8: lambda a: np.rot90(a, -1),
}
"""How a camera that notes an orientation stores an upright scene: EXIF 2.32, 4.6.4."""


def scene(orientation: int, form: str = "JPEG") -> bytes:
    """Return a photo of 48 x 32 px whose quarters are `UPRIGHT`, stored turned."""
    stored = AS_STORED[orientation](
        np.kron(np.arange(4).reshape(2, 2), np.ones((16, 24)))
    )
    colours = np.array(list(QUARTERS.values()), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(colours[stored.astype(int)])
    return encoded(image, form, exif=exif)


def quarters(picture: np.ndarray) -> list[list[str]]:
    height, width, _ = picture.shape

    def name(y: int, x: int) -> str:
        colour = picture[height * y // 4, width * x // 4].astype(int)
        return min(QUARTERS, key=lambda q: int(np.abs(colour - QUARTERS[q]).sum()))

    return [[name(y, x) for x in (1, 3)] for y in (1, 3)]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", AS_STORED)
def test_a_photo_is_turned_upright_by_its_exif_tag(orientation: int, form: str) -> None:
    photo = canonical(scene(orientation, form))
    assert (photo.width, photo.height) == (48, 32)
    picture = pixels(photo)
    assert picture.shape == (32, 48, 3)
    assert quarters(picture) == UPRIGHT.tolist()


def test_an_upright_result_does_not_ask_to_be_turned_again() -> None:
    image = canonical(scene(6)).image
    assert image is not None
    with Image.open(io.BytesIO(image)) as result:
        assert 0x0112 not in result.getexif()


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_ignored(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(Image.new("RGB", (48, 32), RED), "JPEG", exif=exif)
    assert canonical(content) == Canonical(48, 32, content)


def exif_of(*entries: tuple[int, int, int, bytes]) -> bytes:
    """Return EXIF of raw entries: tag, type, count, value."""
    body = b"".join(struct.pack(">HHI4s", *entry) for entry in entries)
    return (
        b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", len(entries)) + body + bytes(4)
    )


ON_ITS_SIDE = (0x0112, 3, 1, b"\0\x06\0\0")


def test_a_broken_orientation_is_ignored() -> None:
    nan = struct.pack(">f", float("nan"))
    exif = exif_of((0x0112, 11, 1, nan))
    content = encoded(Image.new("RGB", (48, 32), RED), "JPEG", exif=exif)
    assert canonical(content) == Canonical(48, 32, content)


@pytest.mark.parametrize(
    "broken",
    [(0x0100, 8, 1, b"\xff\xff\0\0"), (0xA005, 2, 4, b"abc\0")],
    ids=["negative width", "text for a pointer"],
)
def test_another_broken_tag_does_not_cost_the_photo(
    broken: tuple[int, int, int, bytes],
) -> None:
    exif = exif_of(*sorted([ON_ITS_SIDE, broken]))
    photo = canonical(encoded(Image.new("RGB", (48, 32), RED), "JPEG", exif=exif))
    assert photo.error is None
    assert (photo.width, photo.height) == (32, 48)


def test_a_canonical_photo_keeps_its_bytes() -> None:
    content = encoded(Image.new("RGB", (300, 200), RED), "JPEG", quality=80)
    assert canonical(content) == Canonical(300, 200, content)


SPOTS = Image.fromarray(
    np.random.default_rng(1).integers(0, 256, (8, 8, 3), np.uint8)
).resize((200, 200), Image.Resampling.BICUBIC)
PLAIN_JPEGS = {
    "4:2:0": encoded(SPOTS, "JPEG", subsampling=2),
    "4:4:4": encoded(SPOTS, "JPEG", subsampling=0),
    "progressive": encoded(SPOTS, "JPEG", progressive=True),
    "RGB": encoded(SPOTS, "JPEG", keep_rgb=True),
}


@pytest.mark.parametrize("kind", PLAIN_JPEGS)
def test_a_plain_jpeg_does_not_need_pillow_and_has_its_pixels(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = PLAIN_JPEGS[kind]
    expected = np.asarray(Image.open(io.BytesIO(content)))
    monkeypatch.setattr("PIL.Image.open", None)
    assert canonical(content) == Canonical(200, 200, content)
    np.testing.assert_array_equal(fit(content, 200, "pad"), expected)


def flawed(content: bytes) -> bytes:
    """Return a JPEG with bytes that nobody needs before its last marker."""
    return content[:-2] + bytes(3) + content[-2:]


def test_a_flaw_that_costs_no_pixel_is_passed() -> None:
    content = flawed(encoded(NOISE, "JPEG"))
    with pytest.raises(ValueError, match="extraneous"):
        simplejpeg.decode_jpeg(content)
    assert canonical(content) == Canonical(64, 64, content)
    plain = np.asarray(Image.open(io.BytesIO(content)))
    np.testing.assert_array_equal(fit(content, 64, "pad"), plain)


@pytest.mark.parametrize("kept", range(300, 2400, 100))
def test_a_jpeg_is_judged_as_pillow_judges_it_wherever_it_breaks_off(kept: int) -> None:
    content = encoded(NOISE, "JPEG")[:kept]
    try:
        Image.open(io.BytesIO(content)).load()
    except OSError:
        assert canonical(content).image is None
    else:
        assert canonical(content).image == content


def test_an_orientation_in_xmp_is_heeded() -> None:
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    content = encoded(Image.new("RGB", (48, 32), RED), "JPEG", xmp=xmp)
    photo = canonical(content)
    assert (photo.width, photo.height) == (32, 48)


def test_the_result_passes_unchanged_when_made_canonical_again() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    once = canonical(encoded(Image.fromarray(noise)), short_side=100)
    assert once.image is not None
    assert canonical(once.image, short_side=100).image == once.image


@pytest.mark.parametrize(
    ("taken", "made"),
    [
        ((400, 400), (100, 100)),
        ((400, 300), (133, 100)),
        ((300, 400), (100, 133)),
        ((101, 5000), (100, 4950)),
        ((100, 100), (100, 100)),
        ((60, 40), (60, 40)),
        ((1, 1000), (1, 1000)),
        ((1000, 1), (1000, 1)),
        ((1, 1), (1, 1)),
    ],
)
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_photo_is_shrunk_by_its_shorter_side_and_never_enlarged(
    taken: tuple[int, int], made: tuple[int, int], form: str
) -> None:
    photo = canonical(encoded(Image.new("RGB", taken, RED), form), short_side=100)
    assert (photo.width, photo.height) == taken
    assert pixels(photo).shape == (made[1], made[0], 3)


def test_a_large_jpeg_decoded_at_a_fraction_looks_as_if_decoded_in_full() -> None:
    y, x = np.mgrid[0:1600, 0:2400] / 400
    waves = np.stack([np.sin(x + y), np.cos(x - y), np.sin(x) * np.cos(y)], axis=-1)
    smooth = Image.fromarray((127.5 + 127.5 * waves).astype(np.uint8))
    by_draft = pixels(canonical(encoded(smooth, "JPEG", quality=95), short_side=128))
    in_full = pixels(canonical(encoded(smooth, "PNG"), short_side=128))
    difference = np.abs(by_draft.astype(int) - in_full)
    assert by_draft.shape == (128, 192, 3)
    assert difference.mean() < 1.5
    assert difference.max() < 16


def test_a_large_photo_on_its_side_is_shrunk_upright() -> None:
    exif = exif_of(ON_ITS_SIDE)
    content = encoded(Image.new("RGB", (1200, 800), RED), "JPEG", exif=exif)
    photo = canonical(content, short_side=64)
    assert (photo.width, photo.height) == (800, 1200)
    assert pixels(photo).shape == (96, 64, 3)


NOISE = Image.fromarray(
    np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
def test_a_truncated_photo_is_an_error_in_words(form: str) -> None:
    content = encoded(NOISE, form)
    photo = canonical(content[: len(content) // 2])
    assert photo.image is None
    assert photo.error is not None
    assert photo.error.startswith("cannot be decoded: ")


def test_a_truncated_canonical_jpeg_does_not_pass_with_its_bytes() -> None:
    content = encoded(NOISE, "JPEG")
    photo = canonical(content[:-200], short_side=64)
    assert photo.image is None
    assert photo.error is not None
    assert "truncated" in photo.error


def test_an_empty_file_is_an_error_in_words() -> None:
    assert canonical(b"") == Canonical(error="empty file (0 bytes)")


@pytest.mark.parametrize(
    "content",
    [b"Dear reader, this is text", bytes(5000), b"\xff\xd8\xff", b"<svg xmlns='x'/>"],
    ids=["text", "zeros", "three bytes of a JPEG", "SVG"],
)
def test_what_is_no_photo_is_an_error_that_says_how_it_begins(content: bytes) -> None:
    expected = f"not an image: begins with {content[:12]!r}"
    assert canonical(content) == Canonical(error=expected)


def png_bomb(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        check = zlib.crc32(name + body)
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", check)

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + header + body + chunk(b"IEND", b"")


def jpeg_bomb(width: int, height: int) -> bytes:
    """Return a small JPEG whose frame header is changed to another size."""
    content = bytearray(encoded(Image.new("RGB", (16, 16), RED), "JPEG"))
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(content)


@pytest.mark.parametrize("bomb", [png_bomb, jpeg_bomb])
def test_a_bomb_is_refused_by_its_header(
    bomb: Callable[[int, int], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_decoding(*_: object) -> None:
        raise AssertionError("pixels were decoded")

    content = bomb(30_000, 30_000)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", no_decoding)
    monkeypatch.setattr("PIL.Image.core.new", no_decoding)
    photo = canonicalise(content, 256, 100_000_000)
    assert photo == Canonical(
        width=30_000,
        height=30_000,
        error="30000 x 30000 pixels, more than preprocess.max_pixels = 100000000",
    )


def test_max_pixels_is_the_only_limit() -> None:
    content = encoded(Image.new("1", (14_000, 14_000)), "PNG")  # Pillow's own: 89 Mpx
    photo = canonicalise(content, short_side=16, max_pixels=196_000_000)
    assert (photo.width, photo.error) == (14_000, None)
    assert canonicalise(content, 16, max_pixels=195_999_999).image is None


WIDE = encoded(
    Image.fromarray(np.repeat(np.array([[RED, GREEN]], np.uint8), 32, axis=0)).resize(
        (64, 32), Image.Resampling.NEAREST
    ),
    "JPEG",
    quality=95,
    subsampling=0,
)
"""64 x 32 px, the left half red, the right half green."""


def colours(picture: np.ndarray, *points: tuple[int, int]) -> list[str]:
    names = {"red": RED, "green": GREEN, "white": WHITE}

    def name(colour: np.ndarray) -> str:
        return min(
            names, key=lambda n: int(np.abs(colour.astype(int) - names[n]).sum())
        )

    return [name(picture[y, x]) for y, x in points]


def test_padding_adds_white_and_keeps_the_proportions() -> None:
    points = [(2, 8), (16, 4), (16, 28), (29, 8)]
    assert colours(fit(WIDE, 32, "pad"), *points) == ["white", "red", "green", "white"]


def test_cropping_cuts_the_longer_sides_evenly() -> None:
    points = [(2, 4), (2, 28), (29, 12), (29, 20)]
    assert colours(fit(WIDE, 32, "crop"), *points) == ["red", "green", "red", "green"]
    three = Image.fromarray(np.array([[RED, WHITE, GREEN]], np.uint8))
    wide = three.resize((96, 32), Image.Resampling.NEAREST)
    content = encoded(wide, "JPEG", subsampling=0)
    assert colours(fit(content, 32, "crop"), (16, 3), (16, 28)) == ["white", "white"]


def test_stretching_fills_the_square_with_the_whole_photo() -> None:
    picture = fit(WIDE, 32, "stretch")
    edges = [(0, 0), (31, 0), (0, 31), (31, 31)]
    assert colours(picture, *edges) == ["red", "red", "green", "green"]


@pytest.mark.parametrize("how", ["pad", "crop", "stretch"])
@pytest.mark.parametrize("taken", [(1, 1000), (1000, 1), (1, 1), (33, 32), (700, 500)])
def test_any_proportions_fit_a_square(taken: tuple[int, int], how: str) -> None:
    photo = canonical(encoded(Image.new("RGB", taken, RED)))
    assert photo.image is not None
    picture = fit(photo.image, 32, how)  # type: ignore[arg-type]
    assert (picture.shape, picture.dtype) == ((32, 32, 3), np.uint8)


def test_a_photo_of_the_right_size_is_not_resampled() -> None:
    content = encoded(NOISE, "JPEG")
    plain = np.asarray(Image.open(io.BytesIO(content)))
    for how in ("pad", "crop", "stretch"):
        np.testing.assert_array_equal(fit(content, 64, how), plain)  # type: ignore[arg-type]
