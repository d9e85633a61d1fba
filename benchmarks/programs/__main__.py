"""Time a program that embeds photos.

    python -m benchmarks.programs NAME PHOTOS WORK [WEIGHTS ALPHA SIZE]

`prepare(photos, work, ...)` of the module NAME returns a function that embeds the first n
photos. It is called for a warm-up, which is part of the start-up, then for all photos.
"""

import importlib
import json
import sys
import time
from pathlib import Path

import click
import psutil

from benchmarks.context import list_photos

WARM_UP = 16


def main() -> None:
    """Print the result as JSON."""
    name, folder, work, *network = sys.argv[1:]
    photos = [str(photo) for photo in list_photos(Path(folder))]
    program = importlib.import_module(f"benchmarks.programs.{name}")
    embed = program.prepare(photos, Path(work), *network)
    embed(WARM_UP)
    start_seconds = time.time() - psutil.Process().create_time()
    begin = time.perf_counter()
    embed(len(photos))
    seconds = time.perf_counter() - begin
    result = {"photos": len(photos), "seconds": seconds, "start_seconds": start_seconds}
    click.echo(json.dumps(result))


if __name__ == "__main__":
    main()
