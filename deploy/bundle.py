"""Pack everything that a server without internet access needs: `make bundle`.

The target is Python 3.11 on Amazon Linux 2023 (glibc 2.34), x86-64 and arm64. It does not
depend on the interpreter and the system that run this script.
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
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import yaml
from packaging.requirements import Requirement

from fruits_pipeline.spark.jars import MAVEN_SETTINGS, jars_for_s3
from fruits_pipeline.spark.session import start_spark

PROJECT = Path(__file__).parents[1]
BUNDLE = PROJECT / "dist" / "fruits-pipeline.tar.gz"
JARS = Path(__file__).with_name("jars.sha256")
CACHE = Path(
    os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "fruits-pipeline/bundle"
)
"""Downloaded wheels and jars, as one folder for each state of the locks."""

SCRIPTS = ("install.sh", "metrics.py", "start.sh")
PROJECT_FILES = ("conf", "src", "data/06_models", "pyproject.toml", ".telemetry")
ARCHITECTURES = ("x86_64", "aarch64")
"""Target architectures, named as by `uname -m`."""

GLIBC_MINOR = 34
WITHOUT_WHEEL = {"antlr4-python3-runtime", "pyspark"}
"""Packages that PyPI has only as source distributions."""

MTIME = 315532800
"""Modification time of all members, 1980-01-01, so that builds are reproducible."""


def locked_requirements(architecture: str) -> dict[str, str]:
    """Return the lines of `requirements.lock` that apply to the target, by package name.

    Args:
        architecture: One of `ARCHITECTURES`.
    """
    target = {
        "python_version": "3.11",
        "python_full_version": "3.11.0",
        "platform_machine": architecture,
        "platform_system": "Linux",
        "sys_platform": "linux",
        "os_name": "posix",
    }
    lines = {}
    for entry in re.split(r"\n(?=\S)", (PROJECT / "requirements.lock").read_text()):
        first, *hashes = entry.replace("\\\n", "").split(" --hash=")
        pin = Requirement(first)
        if pin.marker is None or pin.marker.evaluate(target):
            lines[pin.name] = " --hash=".join([f"{pin.name}{pin.specifier}", *hashes])
    return lines


def cached(name: str, key: str, build: Callable[[Path], None]) -> Path:
    """Return a folder of the cache; build it and delete older ones if it is missing.

    Args:
        name: Name of the content.
        key: Text that determines the content.
        build: Function that creates the folder at a path.
    """
    folder = CACHE / f"{name}-{hashlib.sha256(key.encode()).hexdigest()}"
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        for old in CACHE.glob(f"{name}-*"):
            shutil.rmtree(old)
        with tempfile.TemporaryDirectory(dir=CACHE) as work:
            build(Path(work, name))
            Path(work, name).rename(folder)
    return folder


def wheels_key() -> str:
    """Return a text that determines the wheels of the bundle."""
    lines = [line for a in ARCHITECTURES for line in locked_requirements(a).values()]
    flags = [flag for a in ARCHITECTURES for flag in _target_flags(a)]
    return "\n".join([*lines, *flags, *sorted(WITHOUT_WHEEL)])


def add_wheels(folder: Path) -> None:
    """Download the locked wheels, and build wheels of packages that have none.

    Args:
        folder: Destination, with a subfolder for each architecture and `any` for wheels
            that fit all architectures.
    """
    common = folder / "any"
    common.mkdir(parents=True)
    for architecture in ARCHITECTURES:
        lines = locked_requirements(architecture)
        published = [line for name, line in lines.items() if name not in WITHOUT_WHEEL]
        compiled = folder / architecture
        _pip("download", published, "--dest", compiled, *_target_flags(architecture))
        for wheel in compiled.glob("*-any.whl"):
            wheel.replace(common / wheel.name)
    _pip("wheel", [lines[name] for name in WITHOUT_WHEEL], "--wheel-dir", common)


def _target_flags(architecture: str) -> list[str]:
    tags = [f"manylinux_2_{n}_{architecture}" for n in range(GLIBC_MINOR, 4, -1)]
    tags += [f"manylinux2014_{architecture}", f"linux_{architecture}"]
    return [
        "--only-binary=:all:",
        "--python-version=3.11",
        "--implementation=cp",
        *(f"--abi={abi}" for abi in ("cp311", "abi3", "none")),
        *(f"--platform={tag}" for tag in tags),
    ]


def _pip(command: str, requirements: list[str], *arguments: str | Path) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(requirements))
        file.flush()
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        options = ["--no-deps", "--require-hashes", "--requirement", file.name]
        subprocess.run(
            [*pip, command, *options, *arguments],
            check=True,
            env=os.environ | {"SOURCE_DATE_EPOCH": str(MTIME)},
        )


def jar_settings() -> dict[str, str]:
    """Return the settings of `conf/ec2/spark.yml` that determine the jars."""
    spark = yaml.safe_load((PROJECT / "conf/ec2/spark.yml").read_text())
    packages, excludes = MAVEN_SETTINGS
    return {packages: jars_for_s3(), excludes: spark[excludes]}


def add_jars(folder: Path) -> None:
    """Download the jars with Spark.

    Args:
        folder: Destination; must not exist.
    """
    with tempfile.TemporaryDirectory() as cache:
        settings = {"spark.jars.ivy": cache, "spark.ui.enabled": "false"}
        start_spark(jar_settings() | settings).stop()
        shutil.copytree(Path(cache, "jars"), folder)


def check_jars(folder: Path) -> None:
    """Verify the names and checksums of the jars in a folder.

    Raises:
        SystemExit: They differ from `jars.sha256`.
    """
    found = {
        f"{hashlib.sha256(jar.read_bytes()).hexdigest()}  {jar.name}"
        for jar in folder.iterdir()
    }
    expected = set(JARS.read_text().splitlines())
    if found != expected:
        sys.exit(
            f"Found jars {sorted(found - expected)}; expected "
            f"{sorted(expected - found)}, as in {JARS.name}. If conf/ec2/spark.yml was "
            f"changed on purpose, update {JARS.name}."
        )


def pack(sources: dict[str, Path], bundle: Path) -> None:
    """Write a tar archive that depends only on the names and contents of its members.

    Args:
        sources: Files to pack, by their path in the bundle.
        bundle: The archive to write.
    """

    def normalise(info: tarfile.TarInfo) -> tarfile.TarInfo:
        info.mtime, info.uid, info.gid, info.uname, info.gname = MTIME, 0, 0, "", ""
        info.mode = 0o755 if info.mode & 0o100 else 0o644
        return info

    with (
        bundle.open("wb") as file,
        # Stored, because wheels and jars are compressed already.
        gzip.GzipFile("", "wb", compresslevel=0, fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for name in sorted(sources):
            tar.add(sources[name], name, filter=normalise)


def _project_files() -> Iterator[Path]:
    """Yield the files of the project that belong into the bundle, without ignored ones."""
    options = ["--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(
        ["git", "ls-files", *options, *PROJECT_FILES],  # noqa: S607 - found on the PATH
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    )
    return (Path(name) for name in listed.stdout.splitlines())


def main() -> None:
    """Write `dist/fruits-pipeline.tar.gz`."""
    BUNDLE.parent.mkdir(exist_ok=True)
    folders = {
        "wheels": cached("wheels", wheels_key(), add_wheels),
        "jars": cached("jars", str(jar_settings()), add_jars),
    }
    check_jars(folders["jars"])
    sources = {str(name): PROJECT / name for name in _project_files()}
    for script in SCRIPTS:
        sources[script] = Path(__file__).with_name(script)
    for name, folder in folders.items():
        files = (file for file in folder.rglob("*") if file.is_file())
        sources |= {f"{name}/{file.relative_to(folder)}": file for file in files}
    pack(sources, BUNDLE)
    mib = BUNDLE.stat().st_size / 1024**2
    click.echo(f"{BUNDLE.relative_to(PROJECT)}: {mib:,.0f} MiB")


if __name__ == "__main__":
    main()
