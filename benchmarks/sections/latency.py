"""Ingest from a bucket that answers slowly, and what is asked of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.request import urlopen

from benchmarks.context import Context, Photos
from benchmarks.harness import Run, run_program
from benchmarks.processes import PROJECT
from benchmarks.rounds import Result, alternate, ratio, spread, target, values
from benchmarks.sections.s3_answers import MOST_KEYS, REGION
from benchmarks.sections.slow_s3 import BUCKET, COUNTS, PREFIX
from benchmarks.tables import Table, runs_table

TITLE = "Ingest from a slow bucket"
DELAYS_MS = (0, 10, 30, 100)
SLOW_MS = 100  # asked for half of the photos only
BINARY_FILE_MS = (0, 30)
HELD_TO = "ingest, 30 ms"
LEAST_RATE = 400
KINDS = ("GET", "HEAD", "LIST", "LOCATION", "HEAD bucket", "other")
Way = Callable[[str, Context], Run]


def run(context: Context) -> Result:
    """Ingest from buckets of different latency, beside Spark's own reader."""
    contestants = {
        f"ingest, {ms} ms": _contestant(context, ms, _ingest) for ms in DELAYS_MS
    }
    contestants |= {
        f"binaryFile, {ms} ms": _contestant(context, ms, _binary_file)
        for ms in BINARY_FILE_MS
    }
    result = alternate(contestants, context.rounds)
    result["targets"] = _targets(result)
    return result


def _contestant(context: Context, ms: int, way: Way) -> Callable[[int], Run]:
    most = context.choices.latency // (2 if ms == SLOW_MS else 1)
    photos = context.sample(most)

    def run(_: int) -> Run:
        with slow_s3(photos, ms) as address:
            done = way(address, context)
            with urlopen(address + COUNTS) as answer:
                counts = json.load(answer)
        return replace(done, detail={"requests": counts, "asked_for": len(photos)})

    return run


@contextmanager
def slow_s3(photos: Photos, delay_ms: int) -> Iterator[str]:
    """Serve photos from a process of its own, and yield the address."""
    command = [sys.executable, "-m", "benchmarks.sections.slow_s3"]
    command += [str(photos.folder), str(photos.list_file), str(delay_ms)]
    with subprocess.Popen(
        command, cwd=PROJECT, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def _environ(address: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    }


def _ingest(address: str, context: Context) -> Run:
    return run_program(
        "benchmarks.sections.ingest_only",
        *(f"s3://{BUCKET}/{PREFIX.rstrip('/')}", str(context.fresh("ingested"))),
        log=context.work / "logs/ingest_only",
        env=_environ(address),
    )


def _binary_file(address: str, context: Context) -> Run:
    return run_program(
        "benchmarks.sections.binary_file",
        *(address, f"s3://{BUCKET}/{PREFIX}", str(context.fresh("ingested"))),
        log=context.work / "logs/binary_file",
        env=_environ(address),
    )


def _requests(result: Result, name: str, kind: str, per: int = 1) -> list[float]:
    """Return the requests of a kind, for each round, in each `per` photos."""
    found = []
    for run in result["runs"].get(name, []):
        units = -(-run["detail"]["asked_for"] // per)
        found.append(run["detail"]["requests"].get(kind, 0) / units)
    return found


def _targets(result: Result) -> list[dict[str, object]]:
    rate, spark = values(result, HELD_TO, "rate"), "binaryFile, 30 ms"
    gets = spread(_requests(result, HELD_TO, "GET"))
    lists = spread(_requests(result, HELD_TO, "LIST", MOST_KEYS))
    return [
        target("photos/s ingested at 30 ms", spread(rate), least=LEAST_RATE),
        target("GET a photo, ingest", gets, least=1, most=1),
        target("HEAD a photo, ingest", spread(_requests(result, HELD_TO, "HEAD"))),
        target("LIST a thousand photos, ingest", lists, most=1),
        target(
            "ingest / binaryFile at 30 ms", ratio(rate, values(result, spark, "rate"))
        ),
        target(
            "ingest / binaryFile at 0 ms",
            ratio(
                values(result, "ingest, 0 ms", "rate"),
                values(result, "binaryFile, 0 ms", "rate"),
            ),
        ),
    ]


def bars(_: Result) -> dict[str, float]:
    """Return none: ingest alone is no contestant of the chain."""
    return {}


def tables(result: Result) -> list[Table]:
    """Return runs, and requests by kind."""
    rows = []
    for name, runs in result["runs"].items():
        counts, asked_for = (
            runs[-1]["detail"]["requests"],
            runs[-1]["detail"]["asked_for"],
        )
        row = [name, asked_for, *(counts.get(kind, 0) for kind in KINDS)]
        rows.append([*row, counts.get("GET", 0) / asked_for])
    header = ("", "photos", *KINDS, "GET a photo")
    title = "Requests of the last round"
    return [runs_table("Runs", result), Table(title, header, rows)]
