import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_s3 import Bucket

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.lease import lease as leases
from fruits_pipeline.io.lease import taking
from fruits_pipeline.io.lease.lease import Lease, is_lease
from fruits_pipeline.io.lease.taking import LeaseWatch, take_lease

OTHER_MACHINE = {"machine": "another boot", "pid": 1, "process_start": 1}
HOLDER = """
import os, signal, sys
from fruits_pipeline.io.lease.held import hold_lease
hold_lease(sys.argv[1], "kedro run")
print(flush=True)
sys.stdin.read()
"""


@pytest.fixture(params=["local", "s3"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "local":
        return f"{tmp_path}/new/root"
    bucket: Bucket = request.getfixturevalue("bucket")
    return f"s3://{bucket.name}/data"


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "POLL_SECONDS", 0.01)


def write_lease(root: Path, **holder: Any) -> Path:
    """Write the lease of another process."""
    root.mkdir(exist_ok=True)
    file = root / ".lease.json"
    described = {"runs": "kedro run", "user": "eva", "host": "nas", "since": "noon"}
    file.write_text(json.dumps(described | {"pid": 7} | holder))
    return file


def start_holder(root: Path) -> subprocess.Popen[str]:
    """Start a process that holds the lease on a root."""
    command = [sys.executable, "-c", HOLDER, str(root)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
    assert process.stdout
    process.stdout.readline()
    return process


def make_old(lease: Lease, seconds: float = leases.STALE_SECONDS) -> Lease:
    """Change the time of the last renewal."""
    lease.renewed_at -= seconds
    return lease


def test_lease_is_exclusive_until_it_is_released(root: str) -> None:
    first = take_lease(root, "kedro run --pipelines classify")
    message = (
        r"`kedro run --pipelines classify` of .+ on .+ \(process "
        rf"{os.getpid()}, since .+ UTC\) uses {root}; .*concurrent_run=wait"
    )
    with pytest.raises(FruitsError, match=message):
        take_lease(root, "kedro run")
    make_old(first).check()  # is renewed
    with pytest.raises(FruitsError, match="expected one run at a time"):
        take_lease(root, "kedro run")
    first.release()
    take_lease(root, "kedro run").release()


def test_released_lease_leaves_nothing(tmp_path: Path) -> None:
    take_lease(f"{tmp_path}/new/root", "kedro run").release()
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    "end", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT, None]
)
def test_lease_of_an_ended_process_is_free(
    tmp_path: Path, end: signal.Signals | None
) -> None:
    holder = start_holder(tmp_path)
    with pytest.raises(FruitsError, match=f"process {holder.pid}"):
        take_lease(str(tmp_path), "kedro run")
    if end:
        holder.send_signal(end)
    holder.communicate()
    is_released = end is not signal.SIGKILL
    assert (tmp_path / ".lease.json").exists() != is_released
    assert holder.returncode in {0, 1, -(end or 0)}
    take_lease(str(tmp_path), "kedro run").release()


def test_process_id_of_another_process_is_recognised(tmp_path: Path) -> None:
    holder = start_holder(tmp_path)
    file = tmp_path / ".lease.json"
    content = json.loads(file.read_text())
    file.write_text(json.dumps(content | {"process_start": 1}))
    take_lease(str(tmp_path), "kedro run").release()
    holder.communicate()


@pytest.mark.parametrize("content", [b"", b"[1]", b'{"pid": "x"}', b"\xff"])
def test_damaged_lease_is_replaced_when_it_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr(leases, "STALE_SECONDS", 0.05)
    (tmp_path / ".lease.json").write_bytes(content)
    take_lease(str(tmp_path), "kedro run").release()


def test_lease_of_another_machine_is_observed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "STALE_SECONDS", 0.1)
    write_lease(tmp_path, **OTHER_MACHINE)
    take_lease(str(tmp_path), "kedro run").release()

    reads = []
    file = write_lease(tmp_path, **OTHER_MACHINE)

    def read_and_renew(path: str) -> Any:
        found = read(path)
        reads.append(found)
        write_lease(tmp_path, **OTHER_MACHINE, renewal=len(reads))
        return found

    read: Callable[[str], Any] = taking.read_stored
    monkeypatch.setattr(taking, "read_stored", read_and_renew)
    with pytest.raises(FruitsError, match="of eva on nas"):
        take_lease(str(tmp_path), "kedro run")
    assert len(reads) > 1
    file.unlink()


@pytest.mark.parametrize("change", ["taken over", "deleted"])
def test_lost_lease_is_reported_before_the_next_commit(
    tmp_path: Path, change: str
) -> None:
    lease = take_lease(str(tmp_path), "kedro run")
    if change == "deleted":
        (tmp_path / ".lease.json").unlink()
    else:
        write_lease(tmp_path)
    message = "was deleted" if change == "deleted" else "taken over by .*eva on nas"
    for _ in range(2):
        with pytest.raises(FruitsError, match=message):
            make_old(lease).check()
    lease.release()
    assert (tmp_path / ".lease.json").exists() == (change == "taken over")


def test_lease_that_cannot_be_renewed_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = take_lease(str(tmp_path), "kedro run")

    def fail(*_: object) -> None:
        raise OSError("unreachable")

    monkeypatch.setattr(leases, "replace_stored", fail)
    make_old(lease, leases.STALE_SECONDS * 0.7).check()
    with pytest.raises(FruitsError, match="was not renewed for"):
        make_old(lease).check()


def test_stopped_process_is_observed(tmp_path: Path) -> None:
    holder = start_holder(tmp_path)
    watch = LeaseWatch(stale_seconds=0)
    content = (tmp_path / ".lease.json").read_bytes()
    assert LeaseWatch(stale_seconds=60).is_alive(content)
    holder.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, holder.pid, os.WSTOPPED | os.WNOWAIT)
    assert not watch.is_alive(content)
    assert watch.is_stale(content)
    holder.send_signal(signal.SIGCONT)
    holder.communicate()


def test_name_of_a_lease_is_recognised() -> None:
    assert is_lease("a/.lease.json")
    assert is_lease(".lease.json.unfinished")
    assert not is_lease("lease.json")
