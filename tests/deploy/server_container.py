"""Boot the server of deploy/template.yaml in a container, with systemd and its user data.

The container has the network of this process, its own mounts, processes and control
groups, and no access to the devices and settings of the kernel.
"""

import os
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

MEMORY = 1_000_000_000
SYSTEM_MEMORY = 100_000_000
"""Memory that the operating system of a small server uses."""

BOOT = """
set -e
mount --make-rprivate /
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do
  touch dev/$device
  mount --bind /dev/$device dev/$device
done
ln -s /proc/self/fd dev/fd
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs tmpfs tmp
mkdir -p old
pivot_root . old
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
  bash -c 'umount -l /old && exec /lib/systemd/systemd'
"""

BOOTHOOK = """[Unit]
Description=The user data, which cloud-init starts at this point
Before=network-online.target
After=network.target

[Service]
Type=oneshot
ExecStart=/etc/user-data

[Install]
WantedBy=multi-user.target
"""

REAL_MEMORY = "[Service]\nBindReadOnlyPaths=/etc/meminfo:/proc/meminfo\n"


class ControlGroups:
    """New control groups: one that limits memory (version 1 or 2), and one for systemd.

    Args:
        limit: Limit in bytes, including the page cache.
    """

    def __init__(self, limit: int) -> None:
        base, name = Path("/sys/fs/cgroup"), f"fruits-{os.getpid()}"
        self.memory = base / "memory" / name
        self.groups = [self.memory, base / "unified" / name]
        self._limit, self._peak = "limit_in_bytes", "max_usage_in_bytes"
        if not self.memory.parent.is_dir():
            self.memory = base / name
            self.groups = [self.memory]
            self._limit, self._peak = "max", "peak"
        for group in self.groups:
            group.mkdir()
        (self.memory / f"memory.{self._limit}").write_text(str(limit))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Delete the groups, whose processes must have ended."""
        for group in self.groups:
            for folder, _, _ in os.walk(group, topdown=False):
                with suppress(OSError):
                    Path(folder).rmdir()

    def enter(self) -> None:
        """Move this process into the groups."""
        for group in self.groups:
            (group / "cgroup.procs").write_text(str(os.getpid()))

    @property
    def peak(self) -> int:
        """Highest memory usage in bytes."""
        return int((self.memory / f"memory.{self._peak}").read_text())

    @property
    def killed(self) -> int:
        """Number of processes killed because memory ran out."""
        files = (self.memory / f"memory.{name}" for name in ("events", "oom_control"))
        lines = "".join(file.read_text() for file in files if file.exists()).split("\n")
        return int(dict(line.split() for line in lines if line)["oom_kill"])


class Container:
    """A server: a writable copy of a root file system, which keeps its files.

    Args:
        system: Root file system with systemd, Python 3.11 and the AWS CLI.
        folder: New folder for the files of the server.
        environ: Environment variables of all its services.
    """

    def __init__(self, system: Path, folder: Path, environ: Mapping[str, str]) -> None:
        upper, work, self.root = (folder / name for name in ("upper", "work", "root"))
        for part in (upper, work, self.root):
            part.mkdir(parents=True)
        options = f"lowerdir={system},upperdir={upper},workdir={work}"
        _run("mount", "-t", "overlay", "overlay", "-o", options, str(self.root))
        variables = " ".join(f'"{name}={value}"' for name, value in environ.items())
        self.write(
            "etc/systemd/system.conf.d/test.conf",
            f"[Manager]\nDefaultEnvironment={variables}\n",
        )
        self.write("etc/hosts", f"127.0.0.1 localhost {os.uname().nodename}\n")
        self.write("etc/systemd/system/boothook.service", BOOTHOOK)
        self.write("etc/systemd/system/fruits-run.service.d/memory.conf", REAL_MEMORY)
        # moto copies a complete object for each range that is requested from it.
        self.write("root/.aws/config", "[default]\ns3 =\n multipart_threshold = 5GB\n")
        total, free = MEMORY // 1024, (MEMORY - SYSTEM_MEMORY) // 1024
        self.write(
            "etc/meminfo",
            f"MemTotal: {total} kB\nMemFree: {free} kB\nMemAvailable: {free} kB\n",
        )
        # The kernel, and so its swap, is that of the tests.
        self.write("swapfile", "")
        self.write("usr/local/sbin/swapon", "#!/bin/sh\n")
        _run("systemctl", f"--root={self.root}", "--quiet", "enable", "boothook")

    def write(self, path: str, text: str) -> None:
        """Write a file, which is executable if it begins with `#`."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755 if text.startswith("#") else 0o644)

    def boot(self, user_data: str, groups: ControlGroups, seconds: float) -> bool:
        """Start the server with user data, and return whether it stopped by itself.

        Args:
            user_data: The script that runs at each start.
            groups: Control groups of its processes.
            seconds: Time after which the server is killed.
        """
        self.write("etc/user-data", user_data.removeprefix("#cloud-boothook\n"))
        options = ["--mount", "--pid", "--fork", "--uts", "--ipc", "--cgroup"]
        try:
            subprocess.run(
                ["unshare", *options, "--kill-child", "bash", "-c", BOOT],  # noqa: S607 - found on the PATH
                cwd=self.root,
                preexec_fn=groups.enter,  # noqa: PLW1509 - it only writes files
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
        return True

    def journal(self) -> str:
        """Return the system log of all starts."""
        folder = self.root / "var/log/journal"
        return _run("journalctl", f"--directory={folder}", "--no-pager", "--quiet")


def _run(*command: str) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout
