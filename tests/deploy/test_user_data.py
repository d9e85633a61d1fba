"""The script that the server runs at each start, and the scripts that it installs."""

import os
import re
import subprocess
import tarfile
from configparser import ConfigParser
from pathlib import Path

import pytest
from factories import write_files
from template_policy import BUCKET, Stack

USER_DATA = Stack(AutoStopMinutes=15).properties("Server")["UserData"]
INSTALLED = dict(
    re.findall(r"^cat >(\S+) <<'EOF'\n(.*?)^EOF$", USER_DATA, re.DOTALL | re.MULTILINE)
)
"""Contents of the files that the script installs, by path."""

FAKE_AWS = """#!/bin/bash
case "$2" in
  head-object) echo "$ETAG" ;;
  cp) echo "$ETAG" >>"$DOWNLOADS" && cat "$BUNDLE" ;;
esac
"""
FAKE_SHUTDOWN = """#!/bin/bash
echo "$@"
"""


def run_script(script: str, folder: Path, **environ: str) -> str:
    """Run a script with fake `aws` and `shutdown` commands, and return its output."""
    commands = {"aws": FAKE_AWS, "shutdown": FAKE_SHUTDOWN, "script": script}
    write_files(folder, {name: text.encode() for name, text in commands.items()})
    for name in commands:
        (folder / name).chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    done = subprocess.run(
        [folder / "script"],
        env={"PATH": path, **environ},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def test_user_data_is_a_boothook() -> None:
    assert USER_DATA.startswith("#cloud-boothook\n#!/bin/bash\n")


@pytest.mark.parametrize(
    "script",
    [USER_DATA, *(text for text in INSTALLED.values() if text.startswith("#!"))],
)
def test_scripts_have_valid_syntax(script: str) -> None:
    subprocess.run(
        ["bash", "-n"],  # noqa: S607 - bash is found on the PATH
        input=script,
        text=True,
        check=True,
    )


def test_user_data_contains_no_access_key() -> None:
    assert "AWS_ACCESS_KEY_ID" not in USER_DATA
    assert "AWS_SECRET_ACCESS_KEY" not in USER_DATA


def test_service_gets_bucket_and_region() -> None:
    environ = f"FRUITS_BUCKET={BUCKET}\nAWS_REGION=eu-west-3\nAUTO_STOP_MINUTES=15\n"
    assert INSTALLED["/etc/fruits.env"] == environ


def test_server_starts_the_service() -> None:
    assert USER_DATA.endswith("\nsystemctl start --no-block fruits.service\n")


def test_service_fetches_the_bundle_runs_it_and_stops_the_server() -> None:
    unit = ConfigParser(strict=False, interpolation=None)
    unit.read_string(INSTALLED["/etc/systemd/system/fruits.service"])
    service = unit["Service"]
    assert service["EnvironmentFile"] == "/etc/fruits.env"
    assert service["ExecStartPre"] == "/usr/local/sbin/fruits-fetch"
    assert service["ExecStart"] == "/opt/fruits/start.sh"
    assert service["ExecStopPost"] == "/usr/local/sbin/fruits-auto-stop"


def test_bundle_is_downloaded_only_if_it_changed(tmp_path: Path) -> None:
    write_files(tmp_path, {"source/start.sh": b"echo"})
    with tarfile.open(tmp_path / "bundle", "w:gz") as tar:
        tar.add(tmp_path / "source/start.sh", "start.sh")
    script = INSTALLED["/usr/local/sbin/fruits-fetch"]
    for etag in ("1", "1", "2"):
        run_script(
            script.replace("/opt/", f"{tmp_path}/"),
            tmp_path,
            ETAG=etag,
            BUNDLE=str(tmp_path / "bundle"),
            DOWNLOADS=str(tmp_path / "downloads"),
            FRUITS_BUCKET=BUCKET,
            AUTO_STOP_MINUTES="15",
        )
        assert (tmp_path / "fruits/start.sh").read_bytes() == b"echo"
    assert (tmp_path / "downloads").read_text() == "1\n2\n"


@pytest.mark.parametrize(("minutes", "arguments"), [("15", "-h +15\n"), ("0", "")])
def test_server_shuts_down_after_auto_stop_minutes(
    tmp_path: Path, minutes: str, arguments: str
) -> None:
    script = INSTALLED["/usr/local/sbin/fruits-auto-stop"]
    assert run_script(script, tmp_path, AUTO_STOP_MINUTES=minutes) == arguments
