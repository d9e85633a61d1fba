"""The script that the server runs at each start, and the scripts that it installs."""

import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from factories import write_files
from template_policy import BUCKET, Stack

USER_DATA = Stack(AutoStopMinutes=15).properties("Server")["UserData"]
INSTALLED = dict(
    re.findall(r"^cat >(\S+) <<'EOF'\n(.*?)^EOF$", USER_DATA, re.DOTALL | re.MULTILINE)
)
"""Contents of the files that the script installs, by path."""
UNIT = "/etc/systemd/system/fruits.service"

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


def service_settings() -> dict[str, list[str]]:
    """Return the values of each setting of the service, in their order."""
    _, _, section = INSTALLED[UNIT].partition("[Service]\n")
    found: dict[str, list[str]] = {}
    for line in section.splitlines():
        if not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def test_service_prepares_the_run_as_root_and_stops_the_server() -> None:
    service = service_settings()
    assert service["EnvironmentFile"] == ["/etc/fruits.env"]
    assert service["ExecStartPre"] == [
        "-+/usr/sbin/shutdown -c",
        "+/usr/local/sbin/fruits-fetch",
        "+/opt/fruits/install.sh",
    ]
    assert service["ExecStopPost"] == ["+/usr/local/sbin/fruits-auto-stop"]


def test_photos_are_decoded_without_privileges() -> None:
    service = service_settings()
    assert service["ExecStart"] == ["/opt/fruits/start.sh"]
    assert service["User"] == ["fruits"]
    assert "useradd --system" in USER_DATA
    assert service["CapabilityBoundingSet"] == service["AmbientCapabilities"] == [""]
    assert service["NoNewPrivileges"] == ["yes"]


def test_run_can_write_only_to_its_folders_and_private_temporary_folders() -> None:
    service = service_settings()
    assert service["ProtectSystem"] == ["strict"]
    assert service["PrivateTmp"] == service["ProtectHome"] == ["yes"]
    writable = {name for name in service if name.endswith("Directory")}
    assert writable == {"StateDirectory", "CacheDirectory", "LogsDirectory"}
    assert not {"ReadWritePaths", "BindPaths"} & service.keys()


def test_memory_and_tasks_are_limited_and_the_run_survives_a_killed_worker() -> None:
    service = service_settings()
    assert service["MemoryMax"] == ["95%"]
    assert service["TasksMax"] == ["1024"]
    assert service["OOMPolicy"] == ["continue"]


def test_systemd_accepts_every_setting_of_the_service(tmp_path: Path) -> None:
    units = "usr/lib/systemd/system"
    shutil.copytree(f"/{units}", tmp_path / units, symlinks=True)
    programs = [path for path in re.findall("=[-+]*(/\\S+)", INSTALLED[UNIT])]
    write_files(tmp_path, {path.lstrip("/"): b"#!/bin/sh\n" for path in programs})
    for path in programs:
        (tmp_path / path.lstrip("/")).chmod(0o755)
    write_files(tmp_path, {UNIT.lstrip("/"): INSTALLED[UNIT].encode()})
    done = systemd_analyze("verify", "--man=no", f"--root={tmp_path}", UNIT)
    assert done.stderr == ""


def test_systemd_rates_the_service_as_well_protected(tmp_path: Path) -> None:
    file = tmp_path / "fruits.service"
    file.write_text(INSTALLED[UNIT])
    done = systemd_analyze("security", "--offline=true", "--threshold=20", str(file))
    assert done.returncode == 0, done.stdout


def systemd_analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *arguments],  # noqa: S607 - found on the PATH
        capture_output=True,
        text=True,
        check=False,
    )


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
