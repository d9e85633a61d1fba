"""The script that the server runs at each start, and the scripts that it installs."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from factories import write_files
from template_policy import BUCKET, Stack

USER_DATA = Stack(AutoStopMinutes=15).properties("Server")["UserData"]
INSTALLED = dict(
    re.findall(r"^cat >(\S+) <<'EOF'\n(.*?)^EOF$", USER_DATA, re.DOTALL | re.MULTILINE)
)
"""Contents of the files that the script installs, by path."""
UNIT = "/etc/systemd/system/fruits-run.service"
SUPERVISOR = "/etc/systemd/system/fruits.service"
MAX_BYTES = 16_384
"""Limit of EC2 for user data."""


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


def test_user_data_is_within_the_limit_of_ec2() -> None:
    longest = {"BucketName": "b" * 63, "StackName": "s" * 128, "Prefix": "p" * 500}
    assert len(USER_DATA) + sum(map(len, longest.values())) < MAX_BYTES


def test_service_gets_the_parameters_of_the_stack() -> None:
    stack = Stack(
        AutoStopMinutes=15,
        Email="a@example.org",
        ExistingBucket="shared",
        PhotosPrefix="photos/2026",
        Prefix="fruits/",
        RetentionDays=30,
        RunHours=3,
        Topic="arn:topic",
    )
    text = stack.properties("Server")["UserData"]
    _, _, environ = text.partition("cat >/etc/fruits.env <<'EOF'\n")
    assert environ.partition("EOF\n")[0].splitlines() == [
        "STACK=fruits",
        "AWS_REGION=eu-west-3",
        "AWS_DEFAULT_REGION=eu-west-3",
        "FRUITS_BUCKET=shared",
        "FRUITS_PREFIX=fruits/",
        "FRUITS_PHOTOS=photos/2026",
        "RETENTION_DAYS=30",
        "AUTO_STOP_MINUTES=15",
        "RUN_HOURS=3",
        'RETRY_SECONDS="60 300"',
        "TOPIC=arn:topic",
    ]


def test_bucket_of_the_stack_is_used_by_default() -> None:
    assert f"FRUITS_BUCKET={BUCKET}\n" in INSTALLED["/etc/fruits.env"]
    assert "TOPIC=\n" in INSTALLED["/etc/fruits.env"]


def test_server_stops_whatever_happens_later() -> None:
    first_command = USER_DATA.index("systemd-run")
    assert USER_DATA.index("set -euo pipefail") < first_command
    assert first_command < USER_DATA.index("cat >")
    kept_up = Stack(AutoStopMinutes=0).properties("Server")["UserData"]
    assert "if [[ 0 != 0 ]]; then\n  systemd-run" in kept_up


def test_server_starts_the_service() -> None:
    assert USER_DATA.endswith("\nsystemctl start --no-block fruits.service\n")


def service_settings(unit: str = UNIT) -> dict[str, list[str]]:
    """Return the values of each setting of a service, in their order."""
    _, _, section = INSTALLED[unit].partition("[Service]\n")
    found: dict[str, list[str]] = {}
    for line in section.splitlines():
        if not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def test_supervisor_runs_as_root_and_ends_in_any_case() -> None:
    service = service_settings(SUPERVISOR)
    assert service["EnvironmentFile"] == ["/etc/fruits.env"]
    assert service["ExecStart"] == ["/usr/local/sbin/fruits-supervise"]
    assert service["ExecStopPost"] == ["/usr/local/sbin/fruits-end"]
    assert "User" not in service


def test_run_has_a_time_limit() -> None:
    assert service_settings()["TimeoutStartSec"] == ["24h"]
    assert service_settings(SUPERVISOR)["TimeoutStartSec"] == ["24h 24h 1h"]
    spans = systemd_analyze("timespan", "24h 24h 1h").stdout
    assert "2d 1h" in spans


def test_photos_are_decoded_without_privileges() -> None:
    service = service_settings()
    assert service["ExecStart"] == ["/opt/fruits/current/start.sh"]
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


@pytest.mark.parametrize("unit", [UNIT, SUPERVISOR])
def test_systemd_accepts_every_setting_of_the_services(
    tmp_path: Path, unit: str
) -> None:
    units = "usr/lib/systemd/system"
    shutil.copytree(f"/{units}", tmp_path / units, symlinks=True)
    programs = [path for path in re.findall("=[-+]*(/\\S+)", INSTALLED[unit])]
    write_files(tmp_path, {path.lstrip("/"): b"#!/bin/sh\n" for path in programs})
    for path in programs:
        (tmp_path / path.lstrip("/")).chmod(0o755)
    write_files(tmp_path, {unit.lstrip("/"): INSTALLED[unit].encode()})
    done = systemd_analyze("verify", "--man=no", f"--root={tmp_path}", unit)
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
