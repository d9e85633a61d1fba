"""Run on an S3 store that is faulty, or does not respond."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from factories import jpeg, read_table, write_files
from fake_imds import metadata_service
from fake_s3 import Cloud, moto_server
from fake_server import BUCKET, ROLE, endpoint_environ
from faulty_s3 import Faults, faulty_s3

from chaos.contents import Difference
from chaos.trial import Result, Run, Trial, start
from fruits_pipeline.exit_codes import TRANSIENT, USER_ERROR

RATES = {
    **{"slow_down": 0.2, "reset": 0.2, "truncate": 0.5, "shorten": 0.05},
    **{"stall": 0.01, "stall_body": 0.01, "internal_error": 0.02, "flip": 0.02},
}
"""Faults of the store of photos."""

ROOT_RATES = {
    **{"slow_down": 0.1, "reset": 0.1, "lose_response": 0.1, "truncate": 0.1},
    **{"internal_error": 0.05, "stall": 0.003},
}
"""Faults of the store of photos and tables."""

UNAVAILABLE = {
    "503 SlowDown": ((503, "SlowDown"), TRANSIENT, "does not respond"),
    "500 InternalError": ((500, "InternalError"), TRANSIENT, "does not respond"),
    "403 AccessDenied": ((403, "AccessDenied"), USER_ERROR, "s3:GetObject"),
    "expired token": ((400, "ExpiredToken"), USER_ERROR, "credentials have expired"),
    "wrong clock": (
        (403, "RequestTimeTooSkewed"),
        USER_ERROR,
        "clock of this machine is wrong",
    ),
}
"""Response to all requests after the listing, exit code, and a part of the message."""

GHOSTS = frozenset(f"photos/Training/Fig/ghost{i}.jpg" for i in range(4))
UNLISTED = frozenset({"photos/Training/Kiwi/unlisted.jpg"})


@dataclass(frozen=True)
class Store:
    """A moto server, behind a proxy for each run.

    Attributes:
        url: URL of the server.
        metadata: URL of a metadata service.
    """

    url: str
    metadata: str

    def fill(self, photos: Mapping[str, bytes]) -> None:
        """Replace the objects below `photos/`."""
        for key, content in photos.items():
            Cloud(self.url).s3.put_object(Bucket=BUCKET, Key=key, Body=content)

    def start(self, proxy: str, root: Path | str, *arguments: str) -> Run:
        """Start a run that accesses the store by a proxy."""
        nothing = {
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        return start(
            f"s3://{BUCKET}/photos",
            root,
            *arguments,
            environ=endpoint_environ(proxy, self.metadata) | nothing,
            preprocess__max_error_rate=0.2,
        )


@contextmanager
def stores(folder: Path) -> Iterator[Store]:
    """Run a store with an empty bucket."""
    with moto_server(folder / "moto.log") as url:
        cloud = Cloud(url)
        cloud.create_bucket(BUCKET, {})
        trust = json.dumps({"Version": "2012-10-17", "Statement": []})
        role = cloud.iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust)
        session = cloud.sts.assume_role(
            RoleArn=role["Role"]["Arn"], RoleSessionName="server"
        )
        with metadata_service(session["Credentials"]) as metadata:
            yield Store(url, metadata)


def run(trial: Trial) -> Iterator[Result]:
    """Make complete runs, and runs whose store fails in the middle."""
    count = trial.attempts(120, 640)
    photos = {f"photos/Training/Kiwi/{i}.jpg": jpeg(i) for i in range(count)}
    with stores(trial.folder) as store:
        store.fill(
            photos | {key: b"-" for key in GHOSTS} | {key: jpeg(0) for key in UNLISTED}
        )
        for n in range(trial.attempts(1, 2)):
            seed, root = trial.seed + n, trial.folder / f"root{n}"
            yield _run_with_faulty_photos(store, photos, root, seed)
        if trial.full:
            yield _run_with_faulty_root(
                store, photos, trial.folder / "copy", trial.seed
            )
        yield _run_without_store(trial.folder)
        for name in UNAVAILABLE if trial.full else ():
            yield _run_with_failing_store(store, name, trial.folder / name)


def _run_with_faulty_photos(
    store: Store, photos: Mapping[str, bytes], root: Path, seed: int
) -> Result:
    faults = Faults(RATES, seed, "photos/", missing=GHOSTS, unlisted=UNLISTED)
    with faulty_s3(store.url, faults) as proxy:
        finished = store.start(proxy, root)
        code = finished.wait()
    found = _compare(photos, root) if code == 0 else Difference(len(photos))
    summary = _summary(root) if code == 0 else {}
    counted = faults.repeated_reads(f"/{BUCKET}/photos")
    # aiohttp repeats a request by itself if a connection that it has kept is closed.
    is_counted = 0 <= counted - summary.get("retries", -1) <= faults.counts["reset"]
    injected = sum(faults.counts[name] for name in RATES)
    text = f"{injected} faults, {summary.get('retries')} of {counted} retries counted"
    is_survived = code == 0 and is_counted and not found
    message = text if code == 0 else finished.message
    name = "photos on a store with 503, resets, truncation, stalls, stale listing"
    return Result(name, 1, int(is_survived), found.lost, found.duplicated, message)


def _run_with_faulty_root(
    store: Store, photos: Mapping[str, bytes], copy: Path, seed: int
) -> Result:
    faults = Faults(ROOT_RATES, seed, missing=GHOSTS, unlisted=UNLISTED)
    with faulty_s3(store.url, faults) as proxy:
        finished = store.start(proxy, f"s3://{BUCKET}/data", "--env", "ec2")
        code = finished.wait(1800)
    objects = Cloud(store.url).read_objects(BUCKET, "data/")
    files = {key.removeprefix("data/"): content for key, content in objects.items()}
    write_files(copy, {path: files[path] for path in files if not path.endswith("/")})
    found = _compare(photos, copy) if code == 0 else Difference(len(photos))
    injected = sum(faults.counts[name] for name in ROOT_RATES)
    message = f"{injected} faults" if code == 0 else finished.message
    name = "photos and tables on a store with 503, resets, lost responses, truncation"
    is_survived = code == 0 and not found
    return Result(name, 1, int(is_survived), found.lost, found.duplicated, message)


def _run_without_store(folder: Path) -> Result:
    nothing = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_REGION": "eu-west-3"}
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    finished = start(f"s3://{BUCKET}/photos", folder / "none", environ=nothing | keys)
    code, message = finished.wait(), finished.message
    is_survived = code == TRANSIENT and "does not respond" in message
    return Result("no store: connection refused", 1, int(is_survived), message=message)


def _run_with_failing_store(store: Store, name: str, root: Path) -> Result:
    response, exit_code, expected = UNAVAILABLE[name]
    faults = Faults(path="photos/")
    begin = time.monotonic()
    with faulty_s3(store.url, faults) as proxy:
        finished = store.start(proxy, root)
        threading.Thread(target=_fail_later, args=(faults, response)).start()
        code, message = finished.wait(), finished.message
    seconds = time.monotonic() - begin
    is_survived = code == exit_code and expected in message
    text = f"after {seconds:.0f} s: {message}"
    return Result(
        f"store fails in the middle: {name}", 1, int(is_survived), message=text
    )


def _fail_later(faults: Faults, response: tuple[int, str]) -> None:
    """Let all requests fail after some photos were read."""
    deadline = time.monotonic() + 120
    while faults.counts["GET"] < 20 and time.monotonic() < deadline:
        time.sleep(0.01)
    faults.error = response


def _summary(root: Path) -> dict[str, Any]:
    text = (root / "08_reporting/run_summary.json").read_text()
    summary: dict[str, Any] = json.loads(text)
    return summary


def _compare(photos: Mapping[str, bytes], root: Path) -> Difference:
    """Compare the rows without an error with the listed photos that exist."""
    ids = {
        key.removeprefix("photos/"): sha256(content).hexdigest()
        for key, content in photos.items()
    }
    total = Difference()
    for table in ("photos", "images", "features", "reduced"):
        rows = [
            row for row in read_table(root, table).to_pylist() if not row.get("error")
        ]
        found = {row["path"]: row["photo_id"] for row in rows}
        if table == "photos":
            found = {r["path"]: sha256(r["content"]).hexdigest() for r in rows}
        lost = sum(found.get(path) != photo_id for path, photo_id in ids.items())
        total += Difference(lost, len(rows) - len(found.keys() & ids.keys()))
    return total
