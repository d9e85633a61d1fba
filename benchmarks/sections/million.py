"""A million tiny photos in 1 GB of memory, on one core, and then nothing new."""

import io
from itertools import count, islice
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.context import THIS, Context
from benchmarks.measurements import Result, run_rounds
from benchmarks.sections.gigabyte import LIMIT_MIB, limited_program
from benchmarks.tables import Table, runs_and_stages

PHOTOS = 1_000_000
LABELS = 200
LINKS = 50  # file systems allow thousands; a photo of 600 bytes occupies 4 KB
FIRST, AGAIN = "first run", "nothing new"


def run(context: Context) -> Result:
    """Run the pipeline on a million photos with 900 MiB of memory, twice."""
    photos = min(PHOTOS, context.max_photos or PHOTOS)
    folder = make_photos(context.empty("million"), photos)
    programs = {
        FIRST: limited_program(context, THIS, folder),
        AGAIN: limited_program(context, THIS, folder, keeps_root=True),
    }
    result = run_rounds(programs, rounds=1)
    result["limit_mib"] = LIMIT_MIB
    for name in programs:
        killed = result.spread(name, "detail.killed")
        result.add_target(f"processes killed for memory, {name}", killed, most=0)
    return result


def make_photos(folder: Path, photos: int) -> Path:
    """Write tiny photos of random colours; each is linked under several names."""
    for label in range(LABELS):
        (folder / f"Training/Label {label:03d}").mkdir(parents=True)
    names = (
        folder / f"Training/Label {i % LABELS:03d}/{i:07d}_100.jpg" for i in count()
    )
    generator, remaining = np.random.default_rng(0), photos
    while remaining > 0:
        first, *links = islice(names, min(LINKS, remaining))
        first.write_bytes(_photo(generator))
        for link in links:
            link.hardlink_to(first)
        remaining -= 1 + len(links)
    return folder


def _photo(generator: np.random.Generator) -> bytes:
    spots = generator.integers(0, 256, (4, 4, 3), np.uint8)
    photo = Image.fromarray(spots).resize((16, 16), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def tables(result: Result) -> list[Table]:
    """Return runs, stages, and peak of the control group."""
    rows = [
        [name, result["limit_mib"], result.spread(name, "detail.peak_mib")]
        for name in result["runs"]
    ]
    header = ("", "limit, MiB", "peak with cached files, MiB")
    return [*runs_and_stages(result), Table("Control group", header, rows)]
