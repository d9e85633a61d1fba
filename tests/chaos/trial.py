"""Settings and result of a fault, and functions that start real runs."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from factories import PROJECT, jpeg, write_files

TIMEOUT = 600
"""Seconds after which a run counts as hanging."""

SETTINGS = {"ingest.photos_per_batch": 40, "ingest.photos_per_part": 20}
"""Parameters of all runs: small batches, so that a run has many commits."""


@dataclass(frozen=True)
class Result:
    """Result of the attempts with one fault.

    Attributes:
        fault: The fault, in a few words.
        attempts: Number of times that it was injected.
        survived: Attempts without a lost, duplicated or wrong row, and with the expected
            exit code and message.
        lost: Number of rows that are missing or wrong in the end, in all tables.
        duplicated: Number of rows that are in a table twice, or should not exist.
        message: Message that a user sees, or another remark; shortened in the table.
    """

    fault: str
    attempts: int
    survived: int
    lost: int = 0
    duplicated: int = 0
    message: str = ""


@dataclass(frozen=True)
class Trial:
    """Settings of the attempts with one kind of fault.

    Attributes:
        folder: New folder for photos and tables.
        seed: Seed of all random choices.
        full: Whether to make all attempts, or a few in a short time.
    """

    folder: Path
    seed: int
    full: bool = False

    @cached_property
    def random(self) -> random.Random:
        """Generator of all random choices."""
        return random.Random(self.seed)  # noqa: S311 - reproducible faults

    def attempts(self, quick: int, full: int) -> int:
        """Return the number of attempts."""
        return full if self.full else quick


@dataclass(frozen=True)
class Run:
    """A run in a process group of its own.

    Attributes:
        process: The process; `os.killpg(process.pid, ...)` also signals JVM and workers.
        log: File with its output.
    """

    process: subprocess.Popen[bytes]
    log: Path

    def wait(self, timeout: float = TIMEOUT) -> int:
        """Wait for the end of the run, and return its exit code.

        Raises:
            subprocess.TimeoutExpired: The run hangs.
        """
        return self.process.wait(timeout)

    @property
    def output(self) -> str:
        """Everything that the run has printed."""
        return self.log.read_text(errors="replace")

    @property
    def message(self) -> str:
        """The error message in one line; the last line if there is none."""
        return error_message(self.output)


def error_message(output: str) -> str:
    """Return the error message of a run in one line; the last line if there is none."""
    _, found, message = f"\n{output}".rpartition("\nError: ")
    text = message if found else output.strip().rpartition("\n")[2]
    return " ".join(text.split())


def parameters_of(photos: Path | str, root: Path | str, **parameters: object) -> str:
    """Return the value of the option `--params` of a run, as `start`."""
    named = {name.replace("__", "."): value for name, value in parameters.items()}
    pairs = SETTINGS | {"photos": photos, "root": root} | named
    return ",".join(f"{name}={value}" for name, value in pairs.items())


def start(
    photos: Path | str,
    root: Path | str,
    *arguments: str,
    command: str = "run",
    module: str = "kedro",
    environ: Mapping[str, str] | None = None,
    **parameters: object,
) -> Run:
    """Start `kedro run`, or another command, in a new process.

    Args:
        photos: Photo root.
        root: Root of the tables.
        *arguments: Further arguments, such as `--pipelines classify`.
        command: Command of Kedro.
        module: Module that calls Kedro.
        environ: Environment variables to add.
        **parameters: Further parameters; `preprocess__short_side` sets
            `preprocess.short_side`.
    """
    text = parameters_of(photos, root, **parameters)
    kedro = [sys.executable, "-W", "ignore", "-m", module, command, *arguments]
    handle, log = tempfile.mkstemp(suffix=".log")
    path = os.pathsep.join([f"{PROJECT}/src", f"{PROJECT}/tests"])
    with open(handle, "wb") as output:
        process = subprocess.Popen(
            [*kedro, "--params", text],
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": path, "NO_COLOR": "1", **(environ or {})},
            start_new_session=True,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return Run(process, Path(log))


def run_to_end(
    photos: Path | str, root: Path | str, *arguments: str, **parameters: object
) -> Run:
    """Run the pipeline to its end, as `start`.

    Raises:
        AssertionError: The run failed.
    """
    finished = start(photos, root, *arguments, **parameters)
    assert finished.wait() == 0, finished.output
    return finished


def make_photos(folder: Path, first: int, count: int) -> Path:
    """Write different small photos of four labels, and return the folder.

    Args:
        folder: Photo root.
        first: Seed of the first photo.
        count: Number of photos.
    """
    labels = ("Apple", "Kiwi", "Fig", "Lime")
    splits = ("Training", "Training", "Test")
    return write_files(
        folder,
        {
            f"{splits[i % 3]}/{labels[i % 4]}/{i:05d}.jpg": jpeg(i)
            for i in range(first, first + count)
        },
    )
