"""Pack what a server without internet needs to run the chain; `make bundle`.

The server's Python is 3.11, whatever the one is that runs this. Its C library may be as
old as Amazon Linux 2023's.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml
from packaging.requirements import Requirement

from fruits_pipeline.spark.jars import RESOLVED
from fruits_pipeline.spark.session import start_spark

PROJECT = Path(__file__).parents[1]
BUNDLE = PROJECT / "dist" / "fruits-pipeline.tar.gz"
JARS = Path(__file__).with_name("jars.sha256")

PARTS = ("conf", "src", "data/06_models", "pyproject.toml", ".telemetry")
MACHINES = ("x86_64", "aarch64")
PYTHON = {"python_version": "3.11", "python_full_version": "3.11.0"}
GLIBC = 34
ONLY_SOURCE = {"antlr4-python3-runtime", "pyspark"}
"""Published without a wheel."""

MTIME = 315532800
"""Of all that is packed, 1980-01-01: the same inputs make the same bundle."""


def locked(machine: str) -> dict[str, str]:
    """Return what `requirements.lock` asks for on the server, by name.

    Args:
        machine: The server's, as `uname -m` says it.
    """
    server = PYTHON | {"platform_machine": machine, "sys_platform": "linux"}
    server |= {"platform_system": "Linux", "os_name": "posix"}
    pins = {}
    for block in re.split(r"\n(?=\S)", (PROJECT / "requirements.lock").read_text()):
        first, *hashes = block.replace("\\\n", "").split(" --hash=")
        pin = Requirement(first)
        if pin.marker is None or pin.marker.evaluate(server):
            pins[pin.name] = " --hash=".join([f"{pin.name}{pin.specifier}", *hashes])
    return pins


def add_wheels(folder: Path) -> None:
    """Download the locked wheels of each machine, and build what has none.

    Args:
        folder: Gets a folder for each machine, and `any` for what fits them all.
    """
    common = folder / "any"
    for machine in MACHINES:
        own = folder / machine
        pins = locked(machine)
        ready = [pin for name, pin in pins.items() if name not in ONLY_SOURCE]
        tags = [f"manylinux_2_{n}_{machine}" for n in range(GLIBC, 4, -1)]
        tags += [f"manylinux2014_{machine}", f"linux_{machine}"]
        _pip("download", ready, own, "--only-binary=:all:", *_flags(tags))
        common.mkdir(exist_ok=True)
        for wheel in own.glob("*-any.whl"):
            wheel.replace(common / wheel.name)
    _pip("wheel", [pins[name] for name in sorted(ONLY_SOURCE)], common)


def _flags(tags: list[str]) -> list[str]:
    flags = [f"--platform={tag}" for tag in tags]
    abis = [f"--abi={abi}" for abi in ("cp311", "abi3", "none")]
    return [*flags, *abis, "--python-version=3.11", "--implementation=cp"]


def _pip(command: str, pins: list[str], folder: Path, *flags: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirements:
        requirements.write("\n".join(pins))
        requirements.flush()
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        where = "--dest" if command == "download" else "--wheel-dir"
        asked = ["--no-deps", "--require-hashes", "-r", requirements.name]
        subprocess.run(
            [*pip, command, *asked, where, folder, *flags],
            check=True,
            env=os.environ | {"SOURCE_DATE_EPOCH": str(MTIME)},
        )


def add_jars(folder: Path) -> None:
    """Let Spark resolve the jars that `conf/ec2/spark.yml` names, and check them.

    Raises:
        SystemExit: They are not those that were checked in.
    """
    listed = yaml.safe_load((PROJECT / "conf/ec2/spark.yml").read_text())
    settings = {name: listed[name] for name in RESOLVED}
    with tempfile.TemporaryDirectory() as cache:
        settings |= {"spark.jars.ivy": cache, "spark.ui.enabled": "false"}
        start_spark(settings).stop()
        shutil.copytree(Path(cache, "jars"), folder)
    found = {
        f"{hashlib.sha256(jar.read_bytes()).hexdigest()}  {jar.name}"
        for jar in folder.iterdir()
    }
    expected = set(JARS.read_text().splitlines())
    if found != expected:
        sys.exit(
            f"Found jars {sorted(found - expected)}; expected "
            f"{sorted(expected - found)}, as in {JARS.name}. Where conf/ec2/spark.yml "
            "asks for others on purpose, note them there."
        )


def _project_files() -> Iterator[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *PARTS],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    )
    return (Path(name) for name in listed.stdout.splitlines())


def pack(sources: dict[str, Path], bundle: Path) -> None:
    """Write a tar that depends on names and contents alone.

    Args:
        sources: Files, by their place in the bundle.
        bundle: The file to write.
    """

    def plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
        info.mtime, info.uid, info.gid, info.uname, info.gname = MTIME, 0, 0, "", ""
        info.mode = 0o755 if info.mode & 0o100 else 0o644
        return info

    with (
        bundle.open("wb") as file,
        # Nearly all of it is compressed already.
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for name in sorted(sources):
            tar.add(sources[name], name, filter=plain)


def main() -> None:
    """Write `dist/fruits-pipeline.tar.gz`."""
    BUNDLE.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUNDLE.parent) as work:
        add_wheels(Path(work, "wheels"))
        add_jars(Path(work, "jars"))
        sources = {str(name): PROJECT / name for name in _project_files()}
        sources["start.sh"] = Path(__file__).with_name("start.sh")
        for file in Path(work).rglob("*"):
            if file.is_file():
                sources[str(file.relative_to(work))] = file
        pack(sources, BUNDLE)
    mib = BUNDLE.stat().st_size / 1024**2
    sys.stdout.write(f"{BUNDLE.relative_to(PROJECT)}: {mib:,.0f} MiB\n")


if __name__ == "__main__":
    main()
