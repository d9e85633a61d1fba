"""Run a bundle on a small server: a folder as its root, S3 and metadata its only network.

To be run with namespaces of its own for network and mounts. Writes `answer.json`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fake_imds import metadata_service
from fake_s3 import REGION, Cloud, moto_server
from fake_server import BUCKET, OF_MOTO

MEMORY = 1_000_000_000
BOOTED = 100_000_000
"""What the system of a small server takes for itself."""

# Run as the first process of the server: what is left when it ends is counted.
FIRST = """
mount -t proc proc "$ROOT/proc"
mount --bind "$ROOT/../meminfo" "$ROOT/proc/meminfo"
chroot "$ROOT" env -i "$@" /opt/fruits/start.sh
status=$?
for _ in {1..100}; do
  left=
  for process in "$ROOT"/proc/[0-9]*; do
    [ "${process##*/}" = 1 ] && continue
    IFS= read -r -d '' command <"$process/cmdline" && left="$left $command"
  done 2>/dev/null
  [ -z "$left" ] && break
  sleep 0.1
done
echo "$left" >"$ROOT/../left"
exit $status
"""


class MemoryGroup:
    """A control group that limits memory, of version 2 or 1.

    Args:
        limit: In bytes, page cache included.
    """

    def __init__(self, limit: int) -> None:
        base = Path("/sys/fs/cgroup")
        if (base / "memory").is_dir():
            self.folder = base / "memory" / f"fruits-{os.getpid()}"
            self._limit, self._peak = "limit_in_bytes", "max_usage_in_bytes"
        else:
            self.folder = base / f"fruits-{os.getpid()}"
            self._limit, self._peak = "max", "peak"
        self.folder.mkdir()
        (self.folder / f"memory.{self._limit}").write_text(str(limit))

    def enter(self) -> None:
        """Put this process into the group."""
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))

    def remove(self) -> None:
        """Delete it; its processes have ended."""
        self.folder.rmdir()

    @property
    def peak(self) -> int:
        """The most that the group had at a time, in bytes."""
        return int((self.folder / f"memory.{self._peak}").read_text())

    @property
    def killed(self) -> int:
        """How many processes were killed for want of memory."""
        events = ("memory.events", "memory.oom_control")
        text = "".join(
            (self.folder / name).read_text()
            for name in events
            if (self.folder / name).exists()
        )
        return int(dict(line.split() for line in text.splitlines())["oom_kill"])


@contextmanager
def memory_group(limit: int) -> Iterator[MemoryGroup]:
    """Yield a control group that limits memory."""
    group = MemoryGroup(limit)
    try:
        yield group
    finally:
        group.remove()


def start(root: Path, environ: Mapping[str, str], group: MemoryGroup) -> int:
    """Start a server whose disk is `root`, wait until it is done, return its status."""
    kib = MEMORY // 1024
    available = (MEMORY - BOOTED) // 1024
    (root.parent / "meminfo").write_text(
        f"MemTotal: {kib} kB\nMemFree: {available} kB\nMemAvailable: {available} kB\n"
    )
    variables = [f"{name}={value}" for name, value in environ.items()]
    return subprocess.run(
        [
            *("unshare", "--mount", "--pid", "--fork", "--kill-child"),
            *("bash", "-c", FIRST, "bash", *variables),
        ],
        env=os.environ | {"ROOT": str(root)},
        preexec_fn=group.enter,  # noqa: PLW1509
        check=False,
    ).returncode


def fill(cloud: Cloud, photos: Path) -> None:
    """Make the bucket, with photos in it."""
    cloud.s3.create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    for file in photos.rglob("*"):
        if file.is_file():
            key = f"photos/{file.relative_to(photos)}"
            cloud.s3.put_object(Bucket=BUCKET, Key=key, Body=file.read_bytes())


def read(cloud: Cloud, prefix: str) -> dict[str, str]:
    """Return the texts below a prefix of the bucket, by key."""
    pages = cloud.s3.get_paginator("list_objects_v2")
    found = pages.paginate(Bucket=BUCKET, Prefix=prefix)
    keys = [item["Key"] for page in found for item in page.get("Contents", [])]
    objects = {key: cloud.s3.get_object(Bucket=BUCKET, Key=key) for key in keys}
    return {
        key: one["Body"].read().decode(errors="replace") for key, one in objects.items()
    }


def empty(cloud: Cloud) -> None:
    """Delete all photos."""
    for key in read(cloud, "photos/"):
        cloud.s3.delete_object(Bucket=BUCKET, Key=key)


def environ_of(address: str, metadata: str) -> dict[str, str]:
    """Return what the server's unit sets, and where S3 and metadata are instead."""
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "FRUITS_BUCKET": BUCKET,
        "AWS_REGION": REGION,
        "AUTO_STOP_MINUTES": "15",
        "AWS_ENDPOINT_URL": address,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata,
        "AWS_METADATA_ENDPOINT": metadata,  # the same for delta-rs, which also
        "AWS_ALLOW_HTTP": "true",  # insists on https otherwise
        "PYSPARK_SUBMIT_ARGS": f"{OF_MOTO} pyspark-shell",
    }


def mount(clean: Path, folder: Path) -> Path:
    """Return a copy of a clean root that is written to elsewhere."""
    parts = {name: folder / name for name in ("upper", "work", "root")}
    for part in parts.values():
        part.mkdir()
    options = f"lowerdir={clean},upperdir={parts['upper']},workdir={parts['work']}"
    root = parts["root"]
    mounting = ["mount", "-t", "overlay", "overlay", "-o", options, str(root)]
    subprocess.run(mounting, check=True)
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost {os.uname().nodename}\n")
    return root


def main(clean: Path, folder: Path, bundle: Path, photos: Path) -> None:
    """Run the bundle on the photos, and once more without any."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    root = mount(clean, folder)
    with tarfile.open(bundle) as tar:
        tar.extractall(root / "opt/fruits", filter="data")
    keys = {"AccessKeyId": "role", "SecretAccessKey": "of", "SessionToken": "server"}
    with (
        moto_server(folder / "moto.log") as address,
        metadata_service(keys) as metadata,
        memory_group(MEMORY) as group,
    ):
        cloud = Cloud(address)
        fill(cloud, photos)
        environ = environ_of(address, metadata)
        status = start(root, environ, group)
        answer = {
            "status": status,
            "logs": [*read(cloud, "logs/").values()],
            "summary": read(cloud, "data/08_reporting/run_summary.json"),
            "peak_mib": group.peak >> 20,
            "killed": group.killed,
            "left": (folder / "left").read_text().strip(),
        }
        empty(cloud)
        answer["status_without_photos"] = start(root, environ, group)
        answer["logs_in_all"] = [*read(cloud, "logs/").values()]
    (folder / "answer.json").write_text(json.dumps(answer))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
