"""Shared state of the sections: sets of photos, a work folder and options."""

import math
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from pathlib import Path
from typing import Any

import click
from PIL import Image

from benchmarks.processes import PROJECT
from benchmarks.runs import Run, run_pipeline, run_program

THIS, BEFORE = "this", "before"
SUFFIXES = {".jpg", ".jpeg"}
MIN_PHOTOS = 4000  # smaller sets are repeated, so that runs take long enough to time
NEW_SHARE = 0.01
Program = Callable[[], Run]


@dataclass
class Context:
    """Shared state of the sections.

    Attributes:
        photos: Folder of photos; it is only read.
        work: Folder for everything that is written.
        rounds: Number of rounds.
        max_photos: Maximum number of photos in a set; None for no limit.
        before: Checkout to compare with.
    """

    photos: Path
    work: Path
    rounds: int
    max_photos: int | None
    before: Path | None

    def empty(self, name: str) -> Path:
        """Return an empty folder."""
        folder = self.work / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    @cached_property
    def all_photos(self) -> Path:
        """Folder of all photos, repeated if there are fewer than `MIN_PHOTOS`."""
        photos = list_photos(self.photos)
        if not photos:
            raise click.UsageError(f"Found no JPEG in {self.photos}. Set --photos.")
        photos = choose_evenly(photos, self.max_photos or len(photos))
        folder = self.empty("photos")
        copy_photos(photos, self.photos, folder)
        wanted = min(MIN_PHOTOS, self.max_photos or MIN_PHOTOS)
        for i in range(1, math.ceil(wanted / len(photos))):
            copy_photos(photos, self.photos, folder / f"copy{i}", seed=i)
        return folder

    def sample(self, count: int) -> Path:
        """Return a folder of `count` photos, or of all if there are fewer."""
        folder = self.work / f"photos-{count}"
        if not folder.exists():
            photos = choose_evenly(list_photos(self.all_photos), count)
            copy_photos(photos, self.all_photos, folder)
        return folder

    @cached_property
    def multiples(self) -> dict[int, Path]:
        """Folders of 1, 2, 4 and 8 times all photos; each contains the smaller ones."""
        photos = list_photos(self.all_photos)
        folders = {8: self.empty("multiples")}
        for factor in (4, 2, 1):
            folders[factor] = folders[2 * factor] / f"first{factor}"
        for i, factor in enumerate((1, 2, 4, 4, 8, 8, 8, 8)):
            copy_photos(photos, self.all_photos, folders[factor] / f"copy{i}", seed=i)
        return folders

    def program(
        self, name: str, photos: Path, *network: object, **options: Any
    ) -> Program:
        """Return a function that runs a program on photos; see `benchmarks.programs`."""
        module, work = "benchmarks.programs", f"work-{name}"
        options["log"] = self.work / f"log-{name}"
        return lambda: run_program(
            module, name, photos, self.empty(work), *network, **options
        )

    def pipeline(self, photos: Path, root: str = "root", **options: Any) -> Program:
        """Return a function that runs the pipeline on photos, with an empty root."""
        return lambda: run_pipeline(photos, self.empty(root), **options)

    @property
    def checkouts(self) -> dict[str, Path]:
        """This checkout, and the one to compare with if there is one, by name."""
        return {THIS: PROJECT, **({BEFORE: self.before} if self.before else {})}

    def run_checkout(
        self, name: str, photos: Path, root: Path, *arguments: str, **options: Any
    ) -> Run:
        """Run the pipeline of a checkout, with its own cache; see `run_pipeline`."""
        os.sync()  # so that writes of the previous run do not slow down this one
        env = {"XDG_CACHE_HOME": str(self.cache(name)), **options.pop("env", {})}
        options |= {"env": env, "project": self.checkouts[name]}
        return run_pipeline(photos, root, *arguments, **options)

    def cache(self, name: str) -> Path:
        """Return the folder of the caches of a checkout."""
        return self.work / f"cache-{name}"

    def commits(self) -> dict[str, str]:
        """Return the commits of the checkouts; `-dirty` if files were changed."""
        command = ["git", "--no-optional-locks", "describe", "--always", "--dirty"]
        return {
            name: subprocess.check_output(command, cwd=folder, text=True).strip()
            for name, folder in self.checkouts.items()
        }


def run_with_new_photos(photos: Path, root: Path) -> Run:
    """Run the pipeline after 1 % new photos were added; remove them afterwards."""
    existing = list_photos(photos)
    chosen = choose_evenly(existing, max(1, round(len(existing) * NEW_SHARE)))
    copy_photos(chosen, photos, photos / "new", seed=8)  # other copies have 0 to 7
    try:
        return run_pipeline(photos, root)
    finally:
        shutil.rmtree(photos / "new")


def list_photos(folder: Path) -> list[Path]:
    """Return the JPEG files below a folder, by path."""
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)


def choose_evenly(photos: Sequence[Path], count: int) -> list[Path]:
    """Return `count` photos at equal distances, or all if there are fewer."""
    count = min(count, len(photos))
    return [photos[i * len(photos) // count] for i in range(count)]


def copy_photos(
    photos: Sequence[Path], source: Path, target: Path, seed: int | None = None
) -> None:
    """Copy photos from one folder to another; they keep their relative paths.

    With a seed, photos are encoded again with a coloured corner, so that copies of
    different seeds have different content.
    """
    copies = [target / photo.relative_to(source) for photo in photos]
    with ProcessPoolExecutor() as pool:
        list(pool.map(_copy, photos, copies, repeat(seed), chunksize=100))


def _copy(photo: Path, copy: Path, seed: int | None) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    if seed is None:
        shutil.copyfile(photo, copy)
        return
    with Image.open(photo) as image:
        changed = image.convert("RGB")
    # A block of 8 x 8 pixels is one unit of JPEG compression: the change survives it.
    changed.paste((seed * 37 % 256, seed * 91 % 256, seed), (0, 0, 8, 8))
    changed.save(copy, "JPEG", quality=95)
