"""Measure the pipeline against raw loops and other tools.

python -m benchmarks --sections speed,peers
python -m benchmarks --sections before --before ../old
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from benchmarks.context import Choices, Context
from benchmarks.processes import PROJECT
from benchmarks.results_figure import draw
from benchmarks.results_page import page
from benchmarks.rounds import Result
from benchmarks.sections import (
    Section,
    before,
    gigabyte,
    latency,
    peers,
    profile,
    scaling,
    speed,
    usual,
)
from benchmarks.this_machine import machine, versions

SECTIONS = cast(
    Mapping[str, Section],
    {
        "speed": speed,
        "profile": profile,
        "usual": usual,
        "peers": peers,
        "scaling": scaling,
        "latency": latency,
        "gigabyte": gigabyte,
        "before": before,
    },
)
NOT_BY_DEFAULT = ("before",)


def main() -> None:
    """Run the sections asked for, and write what came out after each."""
    given = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Ended from outside"))
    failed = []
    with tempfile.TemporaryDirectory(dir=given.work) as work:
        choices = Choices(**{f.name: getattr(given, f.name) for f in fields(Choices)})
        places = (given.photos.resolve(), Path(work).resolve())
        context = Context(*places, choices, given.before)
        for name in given.sections:
            print(f"{name}: {SECTIONS[name].TITLE}", flush=True)
            try:
                result = _measured(name, context)
            except Exception as exc:  # the other sections, and older results, stand
                print(f"{name} failed: {type(exc).__name__}: {exc}", flush=True)
                failed.append(name)
                continue
            failed += [f"{name}: {who}" for who in result["failures"]]
            _write(given.results, {name: result})
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}")


def _measured(name: str, context: Context) -> Result:
    """Run a section; return its result, and when and on what it was measured."""
    about = {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "machine": machine(),
        "versions": versions(),
    }
    begin = time.monotonic()
    result = SECTIONS[name].run(context)
    return about | {"section_seconds": round(time.monotonic() - begin)} | result


def _write(folder: Path, new: Mapping[str, Result]) -> None:
    """Add results to those that are there, and make the page and the figure anew."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "results.json"
    held = json.loads(file.read_text()) if file.exists() else {}
    results: dict[str, Result] = {**held, **new}
    file.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    (folder / "results.md").write_text(page(results, SECTIONS))
    draw(results, SECTIONS, folder / "results.svg")
    print(f"Wrote {folder}/results.md", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--photos", type=Path, default=_photos(), help="a folder")
    parser.add_argument("--results", type=Path, default=PROJECT / "benchmarks/results")
    parser.add_argument("--work", type=Path, help="folder for what is made and deleted")
    parser.add_argument(
        *("--sections", "-s"),
        type=_names,
        default=[name for name in SECTIONS if name not in NOT_BY_DEFAULT],
        help=f"of {', '.join(SECTIONS)}; by default all but {NOT_BY_DEFAULT[0]}",
    )
    parser.add_argument(
        "--before", type=_checkout, help="another checkout, for `before` and `gigabyte`"
    )
    for choice in fields(Choices):
        flag = f"--{choice.name.replace('_', '-')}"
        parser.add_argument(flag, type=int, default=choice.default, metavar="N")
    return parser.parse_args()


def _photos() -> Path:
    shared = os.environ.get("FRUITS_SHARED")
    return Path(shared, "fruits-360") if shared else PROJECT / "data/01_raw/sample"


def _names(text: str) -> list[str]:
    names = text.split(",")
    if wrong := [name for name in names if name not in SECTIONS]:
        raise argparse.ArgumentTypeError(f"no section {', '.join(wrong)}")
    return names


def _checkout(text: str) -> Path:
    folder = Path(text).resolve()
    if not (folder / "src/fruits_pipeline").is_dir():
        raise argparse.ArgumentTypeError(f"no checkout of the project in {folder}")
    return folder


if __name__ == "__main__":
    main()
