"""Download the jars with which Spark accesses S3, and verify their checksums."""

from __future__ import annotations

import hashlib
import re
import sys
import urllib.request
from pathlib import Path

CENTRAL = "https://repo1.maven.org/maven2"
LOCKS = {
    "3.4.1": Path(__file__).with_name("jars-hadoop-3.4.1.sha256"),
    "3.5.0": Path(__file__).with_name("jars.sha256"),
}
"""Checksums and names of jars, by version of Hadoop."""

PATTERN = r"(?P<group>[\w.]+)_(?P<artifact>[\w-]+)-(?P<version>\d[\d.]*)\.jar"


def url_of(name: str) -> str:
    """Return the URL of a jar with the name `group_artifact-version.jar`, as Ivy writes it.

    Raises:
        ValueError: The name has another form.
    """
    found = re.fullmatch(PATTERN, name)
    if not found:
        raise ValueError(f"Found {name}; expected <group>_<artifact>-<version>.jar.")
    group, artifact, version = found["group"], found["artifact"], found["version"]
    folder = "/".join([*group.split("."), artifact, version])
    return f"{CENTRAL}/{folder}/{artifact}-{version}.jar"


def download(lock: Path, folder: Path) -> None:
    """Download the jars that a lock file names.

    Args:
        lock: File with a SHA-256 and a name in each line.
        folder: Destination; it is created.

    Raises:
        SystemExit: A jar has another checksum.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for line in lock.read_text().splitlines():
        expected, name = line.split()
        with urllib.request.urlopen(url_of(name), timeout=60) as response:  # noqa: S310 - of Maven Central
            content = response.read()
        found = hashlib.sha256(content).hexdigest()
        if found != expected:
            sys.exit(f"Found SHA-256 {found} of {name}; expected {expected} ({lock}).")
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    match sys.argv[1:]:
        case [version, folder] if version in LOCKS:
            download(LOCKS[version], Path(folder))
        case _:
            sys.exit(f"Usage: python jars.py {'|'.join(LOCKS)} FOLDER")
