"""Run the bundle on an isolated server: a chroot with 1 GB of memory, S3 and IMDS only.

It installs as root and runs as the user of the service, with a read-only file system, as
systemd does according to deploy/template.yaml. Run this script as root with
`unshare --net --mount`. It writes `result.json`.
"""

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Self

sys.path.insert(0, str(Path(__file__).parents[1]))

from fake_imds import metadata_service
from fake_s3 import Cloud, moto_server
from fake_server import BUCKET, endpoint_environ

MEMORY = 1_000_000_000
SYSTEM_MEMORY = 100_000_000
"""Memory that the operating system of a small server uses."""

WRITABLE = (
    "/var/lib/fruits",
    "/var/cache/fruits",
    "/var/log/fruits",
    "/tmp",  # noqa: S108 - of the server
    "/var/tmp",  # noqa: S108 - of the server
)
"""Folders that the service may write to: state, cache, logs and temporary files."""

USER = (
    "useradd --system --user-group --home-dir /var/lib/fruits --no-create-home fruits"
)

# Runs as PID 1 of its own namespace, so /proc shows all processes that outlive start.sh.
INIT = """
mount -t proc proc "$ROOT/proc"
mount --bind "$ROOT/../meminfo" "$ROOT/proc/meminfo"
set -e
chroot "$ROOT" sh -c "id fruits >/dev/null 2>&1 || $USER"
chroot "$ROOT" install -d -o fruits -g fruits -m 755 \\
  /var/lib/fruits /var/cache/fruits /var/log/fruits
chroot "$ROOT" env -i "$@" /opt/fruits/install.sh
mount --rbind "$ROOT" "$ROOT"
for folder in $WRITABLE; do mount --bind "$ROOT$folder" "$ROOT$folder"; done
mount -o remount,bind,ro "$ROOT"
set +e
cd /
unprivileged() {
  chroot "$ROOT" setpriv --reuid=fruits --regid=fruits --clear-groups --no-new-privs \\
    --bounding-set=-all --inh-caps=-all env -i "$@"
}
unprivileged find / '(' -path /proc -o -path /dev ')' -prune -o \\
  -writable ! -type l -print -prune >"$ROOT/../writable" 2>/dev/null
umask 077
unprivileged "$@" HOME=/var/lib/fruits CACHE_DIRECTORY=/var/cache/fruits \\
  LOGS_DIRECTORY=/var/log/fruits /opt/fruits/start.sh
status=$?
for _ in {1..100}; do
  remaining=
  for process in "$ROOT"/proc/[0-9]*; do
    [ "${process##*/}" = 1 ] && continue
    IFS= read -r -d '' command <"$process/cmdline" && remaining="$remaining $command"
  done 2>/dev/null
  [ -z "$remaining" ] && break
  sleep 0.1
done
echo "$remaining" >"$ROOT/../remaining"
exit $status
"""


class MemoryCgroup:
    """A control group (version 1 or 2) that limits memory.

    Args:
        limit: Limit in bytes, including the page cache.
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Delete the group, whose processes must have ended."""
        self.folder.rmdir()

    def enter(self) -> None:
        """Move this process into the group."""
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))

    @property
    def peak(self) -> int:
        """Highest memory usage in bytes."""
        return int((self.folder / f"memory.{self._peak}").read_text())

    @property
    def killed(self) -> int:
        """Number of processes killed because memory ran out."""
        events = ("memory.events", "memory.oom_control")
        text = "".join(
            (self.folder / name).read_text()
            for name in events
            if (self.folder / name).exists()
        )
        return int(dict(line.split() for line in text.splitlines())["oom_kill"])


def start(root: Path, environ: Mapping[str, str], group: MemoryCgroup) -> int:
    """Start a server, wait for its end, and return the exit status of `start.sh`.

    Args:
        root: Root file system of the server.
        environ: Environment variables of both scripts.
        group: Control group of the server.
    """
    total, available = MEMORY // 1024, (MEMORY - SYSTEM_MEMORY) // 1024
    (root.parent / "meminfo").write_text(
        f"MemTotal: {total} kB\nMemFree: {available} kB\nMemAvailable: {available} kB\n"
    )
    variables = [f"{name}={value}" for name, value in environ.items()]
    options = ["--mount", "--pid", "--fork", "--kill-child"]
    return subprocess.run(
        ["unshare", *options, "bash", "-c", INIT, "bash", *variables],  # noqa: S607 - found on the PATH
        env=os.environ
        | {"ROOT": str(root), "USER": USER, "WRITABLE": " ".join(WRITABLE)},
        preexec_fn=group.enter,  # noqa: PLW1509 - it only writes one file
        check=False,
    ).returncode


def read_texts(cloud: Cloud, prefix: str) -> list[str]:
    """Return the objects with a prefix as text."""
    contents = cloud.read_objects(BUCKET, prefix).values()
    return [content.decode(errors="replace") for content in contents]


def mount_copy(system: Path, folder: Path) -> Path:
    """Mount a writable overlay of a root file system in a folder, and return its path."""
    upper, work, root = (folder / name for name in ("upper", "work", "root"))
    for part in (upper, work, root):
        part.mkdir()
    options = f"lowerdir={system},upperdir={upper},workdir={work}"
    subprocess.run(
        ["mount", "-t", "overlay", "overlay", "-o", options, str(root)],  # noqa: S607 - found on the PATH
        check=True,
    )
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost {os.uname().nodename}\n")
    return root


def main(system: Path, folder: Path, bundle: Path, photos: Path) -> None:
    """Run the bundle twice, with photos and without photos.

    Args:
        system: Root file system with Python 3.11.
        folder: Folder for the server's files and for `result.json`.
        bundle: The bundle.
        photos: Folder of photos.
    """
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)  # noqa: S607 - found on the PATH
    root = mount_copy(system, folder)
    with tarfile.open(bundle) as tar:
        tar.extractall(root / "opt/fruits", filter="data")
    credentials = dict.fromkeys(
        ("AccessKeyId", "SecretAccessKey", "SessionToken"), "testing"
    )
    with (
        moto_server(folder / "moto.log") as url,
        metadata_service(credentials) as metadata_url,
        MemoryCgroup(MEMORY) as group,
    ):
        cloud = Cloud(url)
        objects = {
            f"photos/{file.relative_to(photos)}": file.read_bytes()
            for file in photos.rglob("*")
            if file.is_file()
        }
        cloud.create_bucket(BUCKET, objects)
        environ = {
            **endpoint_environ(url, metadata_url),
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "AUTO_STOP_MINUTES": "15",
        }
        result = {
            "status": start(root, environ, group),
            "logs": read_texts(cloud, "logs/"),
            "summaries": read_texts(cloud, "data/08_reporting/run_summary.json"),
            "peak_mib": group.peak >> 20,
            "killed": group.killed,
            "writable": (folder / "writable").read_text().split(),
            "temporary_files": [
                path.name
                for path in (root / "var/tmp").rglob("*")
                if path.name != "fruits-pipeline"
            ],
            "remaining_processes": (folder / "remaining").read_text().strip(),
        }
        for key in objects:
            cloud.s3.delete_object(Bucket=BUCKET, Key=key)
        result["status_without_photos"] = start(root, environ, group)
        result["all_logs"] = read_texts(cloud, "logs/")
    (folder / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
