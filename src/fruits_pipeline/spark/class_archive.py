"""Speed up JVM start with a class data sharing (CDS) archive of Spark's classes.

Loading classes is half of Spark's start time. A JVM without an archive dumps the classes
that it has loaded when it exits (JEP 350); later JVMs map the archive into memory.

Every JVM dumps to a file of its own, which the next run renames. A JVM writes in place, so
JVMs that exit at the same time can corrupt a common file, also with the option
`-XX:+AutoCreateSharedArchive` (measured: 1 of 200 runs of four JVMs). JVMs do not verify
the checksum of an archive, and fail in unpredictable ways if it is corrupt.
"""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pyspark

MIN_MIB = 3072
"""Available memory required for a dump, which copies all classes in memory."""

MAX_UNUSED_DAYS = 30
"""Days without use after which the archive of another installation is deleted."""

MAX_FILES = 5
"""Number of most recently used files that are kept, of 190 MB each."""

LOG_OPTIONS = ("-Xlog:disable", "-Xlog:all=error,cds*=off:stderr")
"""Hide messages about archives that cannot be used; the JVM starts without an archive."""


def cache_folder() -> Path | None:
    """Return the folder of the archives, in the user's cache; None without a home."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(cache, "fruits-pipeline") if os.path.isabs(cache) else None


def archive_options(
    java: Path, jvm_options: str, available_mib: int, folder: Path | None
) -> list[str]:
    """Return JVM options that map the archive, or dump it at exit if there is none.

    Deletes archives of older versions of the same Java and Spark installations, and
    archives of other installations that were not used for `MAX_UNUSED_DAYS`, or are not
    among the `MAX_FILES` most recently used.

    Args:
        java: The Java executable.
        jvm_options: The other JVM options; some change the format of archives.
        available_mib: Available memory in MiB.
        folder: Folder of the archives; None for no archive.

    Returns:
        The options. Empty if there is no archive and none can be dumped: the runtime has
        no base archive to extend, memory is short, or the folder is not writable or
        contains a colon, at which the JVM splits the path.
    """
    base = java.resolve().parents[1] / "lib/server/classes.jsa"
    if folder is None or ":" in str(folder) or not base.exists():
        return []
    spark = Path(pyspark.__file__).parent
    installation = f"spark-{_digest(java.resolve(), spark, jvm_options)}"
    version = _digest(*(path.stat().st_mtime_ns for path in (base, spark / "jars")))
    archive = folder / f"{installation}-{version}.jsa"
    with suppress(OSError):  # another run may handle the same files
        _update_archive(folder, installation, archive)
        _delete_unused(folder)
    if os.access(archive, os.R_OK):
        return [f"-XX:SharedArchiveFile={archive}", *LOG_OPTIONS]
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    if available_mib < MIN_MIB or not os.access(folder, os.W_OK):
        return []
    return [f"-XX:ArchiveClassesAtExit={archive}.{uuid4().hex}", *LOG_OPTIONS]


def _update_archive(folder: Path, installation: str, archive: Path) -> None:
    """Rename complete dumps to `archive`, and delete other files of the installation.

    The others are archives of older versions, which running JVMs keep mapped, and
    incomplete dumps. A dump that a JVM is still writing is lost.
    """
    for file in folder.glob(f"{installation}-*"):
        if file.name.startswith(f"{archive.name}.") and _is_complete(file):
            file.replace(archive)
        elif file != archive:
            file.unlink()
    if archive.exists():
        os.utime(archive)  # the time of the last use


def _delete_unused(folder: Path) -> None:
    oldest = time.time() - MAX_UNUSED_DAYS * 24 * 3600
    used = {file: file.stat().st_mtime for file in folder.glob("spark-*.jsa*")}
    newest_first = sorted(used, key=lambda file: -used[file])
    for position, file in enumerate(newest_first):
        if position >= MAX_FILES or used[file] < oldest:
            file.unlink()


def _is_complete(dump: Path) -> bool:
    """Return whether the first bytes are set, which the JVM writes last."""
    with dump.open("rb") as file:
        return any(file.read(4))


def _digest(*values: object) -> str:
    text = "\0".join(map(str, values))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
