"""What sections share: the photos and samples of them, a work folder, the choices."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from benchmarks.harness import Run, run_chain, run_program
from benchmarks.processes import PROJECT
from benchmarks.repeats import repeat

ENDINGS = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif"}
PEERS = ("ray_data", "daft")
ENDINGS |= {".tiff", ".avif"}


@dataclass(frozen=True)
class Choices:
    """What the command line chose.

    Attributes:
        rounds: How often contestants take turns.
        fewest: Photos of which there are fewer than this are repeated, so that runs
            last long enough to be timed.
        sample: Photos for the slowest contestants.
        sample_big: Photos for the chain beside them.
        peers: Photos for other tools.
        scale_base: Photos of the smallest set that is scaled; 0 takes all.
        latency: Photos in the slow bucket.
    """

    rounds: int = 3
    fewest: int = 4000
    sample: int = 600
    sample_big: int = 3000
    peers: int = 4000
    scale_base: int = 0
    latency: int = 2000


@dataclass(frozen=True)
class Photos:
    """A folder of photos, and a file that lists them for contestants.

    Attributes:
        folder: Where they lie.
        list_file: One absolute path a line.
        paths: The same.
    """

    folder: Path
    list_file: Path
    paths: list[Path]

    @cached_property
    def total_bytes(self) -> int:
        """Of all files."""
        return sum(path.stat().st_size for path in self.paths)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.paths)


@dataclass
class Context:
    """Of a run of the benchmarks.

    Attributes:
        source: Folder of photos, which is only read.
        work: Folder for all that is written.
        choices: What the command line chose.
        before: Another checkout of the project, to compare this one with.
    """

    source: Path
    work: Path
    choices: Choices
    before: Path | None = None
    _samples: dict[int, Photos] = field(default_factory=dict)

    @property
    def rounds(self) -> int:
        """How often contestants take turns."""
        return self.choices.rounds

    def photos(self) -> Photos:
        """Return all photos, in a folder of their own that may grow."""
        return self.sample(0)

    def sample(self, most: int) -> Photos:
        """Return photos chosen evenly, below a folder of their own.

        Args:
            most: How many; 0 takes all.
        """
        paths = self._all
        count = min(most or len(paths), len(paths))
        if count not in self._samples:
            chosen = [paths[i * len(paths) // count] for i in range(count)]
            self._samples[count] = self._place(f"photos-{count}", chosen)
        return self._samples[count]

    @cached_property
    def _root(self) -> Path:
        """The photos themselves, or enough repeats of them."""
        found = photos_below(self.source)
        if not found:
            raise SystemExit(f"Found no photos in {self.source}; expected some.")
        copies = -(-self.choices.fewest // len(found))
        if copies <= 1:
            return self.source
        return repeat(self.source, found, self.work / "enough", copies)

    @cached_property
    def _all(self) -> list[Path]:
        return photos_below(self._root)

    def _place(self, name: str, chosen: Sequence[Path]) -> Photos:
        folder = self.work / name
        placed = [folder / path.relative_to(self._root) for path in chosen]
        for old, new in zip(chosen, placed, strict=True):
            link_or_copy(old, new)
        return listed(folder, placed)

    def fresh(self, name: str) -> Path:
        """Return an empty folder."""
        folder = self.work / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def contestant(
        self, name: str, photos: Photos, *arguments: str
    ) -> Callable[[int], Run]:
        """Return a function that runs a contestant on photos, in an empty folder."""
        module = f"benchmarks.contestants.{name}"

        def run(_: int) -> Run:
            work = self.fresh(f"work-{name}")
            said = ("--photos", str(photos.list_file), "--work", str(work), *arguments)
            log = self.work / "logs" / name
            return run_program(module, *said, log=log, python=python_of(name))

        return run

    def chain(
        self, photos: Photos, root: str = "root", **params: object
    ) -> Callable[[int], Run]:
        """Return a function that runs the chain on photos, with nothing made yet."""
        return lambda _: run_chain(photos.folder, self.fresh(root), params=params)


def python_of(contestant: str) -> str:
    """Return the interpreter of the environment that has what a contestant needs."""
    peers = PROJECT / ".venv-peers/bin/python"
    return str(peers) if contestant in PEERS and peers.exists() else sys.executable


def photos_below(folder: Path) -> list[Path]:
    """Return all photos below a folder, by path."""
    files = (Path(top, name) for top, _, names in os.walk(folder) for name in names)
    return sorted(path for path in files if path.suffix.lower() in ENDINGS)


def listed(folder: Path, paths: Sequence[Path]) -> Photos:
    """Write the list file beside a folder of photos."""
    list_file = folder.with_name(f"{folder.name}.txt")
    list_file.write_text("".join(f"{path.absolute()}\n" for path in paths))
    return Photos(folder, list_file, list(paths))


def link_or_copy(old: Path, new: Path) -> None:
    """Give a file a second name, or copy it where disks differ."""
    new.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(old, new)
    except OSError:
        shutil.copyfile(old, new)
