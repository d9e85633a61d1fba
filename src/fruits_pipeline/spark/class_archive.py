"""Start Java with Spark's classes as the run before has left them, loaded and checked.

Half of the seconds until Spark works go into loading its classes. Java keeps them in an
archive if it is asked to: JEP 350, "Dynamic CDS Archives". The first run writes it as it
ends; Java itself leaves aside an archive of another version or of other jars.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pyspark

LEAST_MIB = 3072
"""Memory that is free where an archive is written: Java holds all of it for a moment."""

QUIET = "-Xlog:disable -Xlog:all=error:stderr"
"""What Java says of an archive that does not fit is nobody's concern."""


def cache_folder() -> Path:
    """Return the folder of the archives, in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache, "fruits-pipeline")


def archive_options(java: Path, available_mib: int, folder: Path) -> str:
    """Return options for Java that read the archive, or write it if there is none.

    Args:
        java: The executable; small runtimes have no archive of their own classes, on
            which this one would build, and get no options.
        available_mib: Memory that is free.
        folder: Where archives are kept.
    """
    if not (java.resolve().parents[1] / "lib/server/classes.jsa").exists():
        return ""
    of = f"{java.resolve()} {pyspark.__version__} {pyspark.__file__}"
    archive = folder / f"spark-{hashlib.sha256(of.encode()).hexdigest()[:16]}.jsa"
    if _is_whole(archive):
        return f"-XX:SharedArchiveFile={archive} {QUIET}"
    if available_mib < LEAST_MIB:
        return ""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:  # a home that cannot be written
        return ""
    return f"-XX:ArchiveClassesAtExit={archive} {QUIET}"


def _is_whole(archive: Path) -> bool:
    """Tell whether an archive begins with its header, which Java writes last."""
    try:
        with archive.open("rb") as file:
            return any(file.read(4))
    except OSError:
        return False
