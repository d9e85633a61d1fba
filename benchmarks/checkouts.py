"""This checkout of the project and an earlier one, each with its own code and caches."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.context import Context
from benchmarks.harness import Run, run_chain
from benchmarks.processes import PROJECT

THIS, BEFORE = "this", "before"


@dataclass(frozen=True)
class Checkout:
    """A checkout of the project.

    Attributes:
        name: `this` or `before`.
        folder: Its root.
        cache: Folder of its caches, among them Java's class archive; None takes the
            user's.
    """

    name: str
    folder: Path
    cache: Path | None = None

    def run(
        self,
        photos: Path,
        root: Path,
        *,
        env: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
        prefix: Sequence[str] = (),
    ) -> Run:
        """Run its chain; the arguments are those of `run_chain`."""
        os.sync()  # or this run waits for the disk because of the run before
        caches = {"XDG_CACHE_HOME": str(self.cache)} if self.cache else {}
        return run_chain(
            *(photos, root),
            env={**caches, **(env or {})},
            arguments=arguments,
            prefix=prefix,
            project=self.folder,
        )

    def archive_mb(self) -> float:
        """Return the size of Java's class archive in its cache; 0 if there is none."""
        found = self.cache.rglob("*.jsa") if self.cache else ()
        return sum(file.stat().st_size for file in found) / 1e6

    def commit(self) -> str:
        """Return its commit, with `-dirty` where files differ from it."""
        command = ("git", "--no-optional-locks", "describe", "--always", "--dirty")
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, check=False
        )
        return done.stdout.strip() or "unknown"


def checkouts(context: Context) -> list[Checkout]:
    """Return this checkout, and the one to compare with where it is given.

    Two have a cache each, empty at first; one alone has the user's.
    """
    if not context.before:
        return [Checkout(THIS, PROJECT)]
    folders = {THIS: PROJECT, BEFORE: context.before}
    return [
        Checkout(name, folder, context.work / f"cache-{name}")
        for name, folder in folders.items()
    ]
