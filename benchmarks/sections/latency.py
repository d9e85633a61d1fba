"""Ingest from a slow S3 bucket, and the requests that it makes."""

import math

from benchmarks.context import Context, Program, list_photos
from benchmarks.measurements import Result, run_rounds, spread
from benchmarks.runs import Run, run_program
from benchmarks.slow_s3 import BUCKET, KEYS_PER_LIST, PREFIX, REGION, SlowBucket
from benchmarks.tables import Table, runs_table

PHOTOS_BY_DELAY_MS = {0: 2000, 10: 2000, 30: 2000, 100: 1000}
JUDGED = "ingest, 30 ms"
MIN_RATE = 400
KINDS = ("GET", "HEAD", "LIST", "LOCATION", "HEAD bucket", "other")
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
}


def run(context: Context) -> Result:
    """Ingest from buckets of different latency."""
    programs = {
        f"ingest, {delay_ms} ms": _program(context, delay_ms, count)
        for delay_ms, count in PHOTOS_BY_DELAY_MS.items()
    }
    result = run_rounds(programs, context.rounds)
    gets, heads, lists = (_requests_per_photo(result, kind) for kind in KINDS[:3])
    add = result.add_target
    add("photos/s ingested at 30 ms", result.spread(JUDGED), least=MIN_RATE)
    add("GET a photo, ingest", spread(gets), least=1, most=1)
    add("HEAD a photo, ingest", spread(heads))
    add("LIST a thousand photos, ingest", spread(lists), most=1)
    return result


def _program(context: Context, delay_ms: int, count: int) -> Program:
    photos = context.sample(count)

    def ingest() -> Run:
        bucket = SlowBucket(photos, delay_ms / 1000)
        root, log = context.empty("root-ingest"), context.work / "log-ingest"
        arguments = ("ingest", f"s3://{BUCKET}/{PREFIX}", root)
        env = {**CREDENTIALS, "AWS_ENDPOINT_URL": bucket.start()}
        module = "benchmarks.programs.in_process"
        done = run_program(module, *arguments, log=log, env=env)
        asked_for = len(list_photos(photos))
        done["detail"] = {"requests": bucket.counts, "asked_for": asked_for}
        return done

    return ingest


def _requests_per_photo(result: Result, kind: str) -> list[float]:
    """Return requests per photo in each round; `LIST`: per thousand photos."""
    unit = KEYS_PER_LIST if kind == "LIST" else 1
    details = [run["detail"] for run in result["runs"].get(JUDGED, [])]
    return [
        detail["requests"].get(kind, 0) / math.ceil(detail["asked_for"] / unit)
        for detail in details
    ]


def tables(result: Result) -> list[Table]:
    """Return runs, and requests by kind."""
    rows = []
    for name, runs in result["runs"].items():
        photos = runs[-1]["detail"]["asked_for"]
        requests = runs[-1]["detail"]["requests"]
        counts = [requests.get(kind, 0) for kind in KINDS]
        rows.append([name, photos, *counts, counts[0] / photos])
    header = ("", "photos", *KINDS, "GET a photo")
    return [runs_table(result), Table("Requests of the last round", header, rows)]
