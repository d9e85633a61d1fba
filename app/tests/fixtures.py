"""Write photos for the tests of the app, and what the pipeline makes of them.

    python app/tests/fixtures.py <model> <folder>

All photos are rendered. `fixtures.json` has the answers of the phone model, and the pixels
that the pipeline gives to it.
"""

from __future__ import annotations

import base64
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
from icc_profiles import SPACES, rgb_profile
from PIL import ExifTags, Image, ImageFilter

from fruits_pipeline.answers import PhotoAnswer, classify_photo
from fruits_pipeline.imaging.canonical import canonicalise
from fruits_pipeline.imaging.fitting import fit
from fruits_pipeline.imaging.quality import measure
from fruits_pipeline.models.phone_models import PhoneModel
from fruits_pipeline.parameters import SampleParameters
from fruits_pipeline.pipelines.sample.nodes import render_sample

SIZE = 64
MAX_MIB = 1024
KNOWN_PHOTOS = 3
MEGAPIXELS = {"large.jpg": (4032, 3024), "huge.jpg": (8064, 6048)}


def encode(image: Image.Image, **options: Any) -> bytes:
    """Return an image as a JPEG."""
    buffer = io.BytesIO()
    options = {"quality": 95, "subsampling": 0} | options
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def scene(width: int, height: int) -> Image.Image:
    """Return a picture without symmetry, with fine and coarse structure."""
    rng = np.random.default_rng(width)
    cells = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8))
    coarse = cells.resize((width, height), Image.Resampling.BICUBIC)
    fine = rng.normal(0, 6, (height, width, 1))
    return Image.fromarray((np.asarray(coarse) + fine).clip(0, 255).astype(np.uint8))


def known_photos(model: PhoneModel) -> Iterator[tuple[bytes, PhotoAnswer]]:
    """Yield the rendered photo of each label whose right answer is most certain."""
    sample = render_sample(SampleParameters(frames_per_series=2, seed=360, size=SIZE))
    best: dict[str, tuple[float, bytes, PhotoAnswer]] = {}
    for path, content in sample.items():
        label = Path(path).parent.name
        if label not in model.labels or not path.endswith(f"_{SIZE}.jpg"):
            continue
        answer = classify_photo(model, content, MAX_MIB, path)
        probability = answer.labels[0][1]
        if answer.answer == label and probability > best.get(label, (0.0,))[0]:
            best[label] = (probability, content, answer)
    for _, content, answer in sorted(best.values(), key=lambda b: -b[0]):
        yield content, answer


def far_away(photo: bytes, model: PhoneModel) -> bytes:
    """Return a photo of a scene with a small fruit, which is known only in its centre."""
    fruit = Image.open(io.BytesIO(photo)).resize((300, 300))
    for seed in range(50):
        background = scene(640 + seed, 640 + seed).filter(ImageFilter.GaussianBlur(3))
        left = (background.width - fruit.width) // 2
        background.paste(fruit, (left, left))
        content = encode(background)
        centre = background.crop((left, left, left + 320, left + 320))
        whole = classify_photo(model, content, MAX_MIB)
        if (
            not whole.is_known
            and classify_photo(model, encode(centre), MAX_MIB).is_known
        ):
            return content
    raise SystemExit("Found no scene in which only the centre is known.")


def pixel_photos() -> Iterator[tuple[str, bytes]]:
    """Yield photos of all kinds that the pipeline and browsers decode."""
    wide, tall = scene(700, 400), scene(300, 520)
    yield "small.jpg", encode(scene(100, 100))
    yield "wide.jpg", encode(wide)
    yield "tall.jpg", encode(tall, subsampling=2, quality=80)
    yield "progressive.jpg", encode(wide, progressive=True)
    yield "grey.jpg", encode(wide.convert("L"))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = orientation
        yield f"oriented-{orientation}.jpg", encode(wide, exif=exif)
    yield "display-p3.jpg", encode(wide, icc_profile=rgb_profile(SPACES["Display P3"]))
    for name, extension, options in (
        ("opaque.png", "PNG", {}),
        ("lossless.webp", "WEBP", {"lossless": True}),
    ):
        buffer = io.BytesIO()
        wide.save(buffer, extension, **options)
        yield name, buffer.getvalue()
    transparent = wide.convert("RGBA")
    transparent.putalpha(wide.convert("L"))
    buffer = io.BytesIO()
    transparent.save(buffer, "PNG")
    yield "transparent.png", buffer.getvalue()


def expectation(content: bytes, model: PhoneModel) -> dict[str, Any]:
    """Return the pixels that the pipeline gives to the model, and the quality."""
    image = canonicalise(content, model.card.short_side, MAX_MIB).image
    if image is None:
        raise ValueError("a photo that the pipeline rejects")
    square = fit(image, model.card.input_size, model.card.fit)
    return {
        "square": base64.b64encode(square.tobytes()).decode(),
        "quality": measure(image)._asdict(),
    }


def main(model_file: Path, folder: Path) -> None:
    """Write the photos and `fixtures.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    model = PhoneModel(model_file.read_bytes())
    files: dict[str, bytes] = {}
    known = []
    for i, (content, answer) in enumerate(known_photos(model)):
        if i == KNOWN_PHOTOS:
            break
        files[f"known-{i}.jpg"] = content
        known.append(
            {"file": f"known-{i}.jpg", "answer": answer.answer, "labels": answer.labels}
        )
    first = Image.open(io.BytesIO(files["known-0.jpg"]))
    pixels = dict(pixel_photos())
    files |= pixels
    for name, size in MEGAPIXELS.items():
        files[name] = encode(first.resize(size, Image.Resampling.BICUBIC), quality=90)
    enlarged = first.resize((512, 512), Image.Resampling.BICUBIC)
    files |= {
        "unknown.jpg": encode(scene(400, 400)),
        "dark.jpg": encode(first.point(lambda level: level // 12)),
        "blurred.jpg": encode(enlarged.filter(ImageFilter.GaussianBlur(24))),
        "tiny.jpg": encode(first.resize((48, 48))),
        "far.jpg": far_away(files["known-0.jpg"], model),
        "truncated.jpg": files["wide.jpg"][: len(files["wide.jpg"]) // 2],
        "garbage.jpg": files["wide.jpg"][:40] + bytes(2000),
        "empty.jpg": b"",
        "text.txt": b"An apple a day\n",
    }
    heic = io.BytesIO()
    pillow_heif.from_pillow(enlarged).save(heic)
    files["photo.heic"] = heic.getvalue()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    expected = {name: expectation(content, model) for name, content in pixels.items()}
    large = {name: expectation(files[name], model) for name in MEGAPIXELS}
    text = json.dumps({"known": known, "pixels": expected, "large": large})
    (folder / "fixtures.json").write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
