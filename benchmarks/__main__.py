"""Run benchmarks: `python -m benchmarks --sections speed,peers`."""

import json
import os
import platform
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import click
import psutil

from benchmarks.context import Context
from benchmarks.measurements import Result, SkippedError
from benchmarks.processes import PROJECT
from benchmarks.report import draw_figure, render_page
from benchmarks.sections import SECTIONS

SHARED = os.environ.get("FRUITS_SHARED")
PHOTOS = Path(SHARED, "fruits-360") if SHARED else PROJECT / "data/01_raw/sample"
RESULTS = PROJECT / "benchmarks/results"
FOLDER = click.Path(file_okay=False, resolve_path=True, path_type=Path)
PACKAGES = (
    *("pyspark", "kedro", "ai-edge-litert", "tensorflow", "keras", "pillow"),
    *("pyarrow", "numpy"),
)
FLAGS = ("avx", "avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8")
VARIABLES = ("OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")


def _split_names(_: object, __: object, text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - set(SECTIONS):
        found, expected = ", ".join(sorted(unknown)), ", ".join(SECTIONS)
        raise click.BadParameter(f"Found {found}; expected some of {expected}.")
    return names


@click.command()
@click.option(
    *("-s", "--sections"),
    default=",".join(name for name in SECTIONS if name != "before"),
    callback=_split_names,
    help=f"Comma-separated sections: {', '.join(SECTIONS)}. Default: all but before.",
)
@click.option("--photos", type=FOLDER, default=PHOTOS, help="Folder of photos.")
@click.option("--results", type=FOLDER, default=RESULTS, help="Folder of the results.")
@click.option("--before", type=FOLDER, help="Checkout for `before` and `gigabyte`.")
@click.option("--rounds", default=3, show_default=True, help="Number of rounds.")
@click.option("--max-photos", type=int, help="Limit of each set, for a quick check.")
def main(
    sections: list[str], results: Path, before: Path | None, **options: Any
) -> None:
    """Measure the speed and memory of the pipeline, and compare it with other tools."""
    if "before" in sections and not before:
        raise click.UsageError("The section `before` needs the option --before.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Terminated"))
    failed = []
    with tempfile.TemporaryDirectory() as work:
        context = Context(work=Path(work).resolve(), before=before, **options)
        for name in sections:
            click.echo(f"{name}: {SECTIONS[name].title}")
            try:
                result = _measure(name, context)
            except SkippedError as exc:
                click.echo(f"  skipped: {exc}")
            except Exception as exc:  # the other sections can still be measured
                click.echo(f"  failed: {type(exc).__name__}: {exc}", err=True)
                failed.append(name)
            else:
                _write(results, name, result)
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}")


def _measure(name: str, context: Context) -> Result:
    conditions, begin = _conditions(), time.monotonic()
    result = SECTIONS[name].run(context)
    seconds = round(time.monotonic() - begin)
    return Result({**conditions, "section_seconds": seconds, **result})


def _conditions() -> dict[str, Any]:
    """Return date, machine and versions."""
    lines = Path("/proc/cpuinfo").read_text().replace("\t", "").splitlines()
    cpu = dict(line.split(": ", 1) for line in lines if ": " in line)
    versions = {found.name.lower(): found.version for found in distributions()}
    found = {name: versions[name] for name in PACKAGES if name in versions}
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "machine": {
            "cpu": cpu.get("model name", platform.machine()),
            "flags": [flag for flag in FLAGS if flag in cpu.get("flags", "").split()],
            "cores": len(os.sched_getaffinity(0)),
            "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
            "load": round(os.getloadavg()[0], 2),
            "environment": {n: os.environ[n] for n in VARIABLES if n in os.environ},
        },
        "versions": {"python": platform.python_version(), **found},
    }


def _write(folder: Path, name: str, result: Result) -> None:
    """Add a result to the stored ones; write page and figure."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "results.json"
    stored = json.loads(file.read_text()) if file.exists() else {}
    results = {section: Result(found) for section, found in stored.items()}
    results[name] = result
    file.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    (folder / "results.md").write_text(render_page(results))
    draw_figure(results, folder / "results.svg")
    click.echo(f"Wrote {folder}/results.md")


if __name__ == "__main__":
    main()
