import socket
import time
from pathlib import Path

import pytest
from fake_imds import INSTANCE, metadata_service

from fruits_pipeline.costs import machine
from fruits_pipeline.costs.machine import Machine, find_machine

KEYS = {"AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "c"}


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(machine.ENDPOINT_VARIABLE, raising=False)
    monkeypatch.delenv(machine.DISABLED_VARIABLE, raising=False)


def test_instance_is_found_by_its_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # does not concern it
    with metadata_service(KEYS) as url:
        monkeypatch.setenv(machine.ENDPOINT_VARIABLE, url)
        assert find_machine() == Machine("t3.micro", "eu-west-3", False)


def test_spot_instance_is_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(INSTANCE, "instance-life-cycle", "spot")
    with metadata_service(KEYS) as url:
        monkeypatch.setenv(machine.ENDPOINT_VARIABLE, url)
        found = find_machine()
    assert found is not None
    assert found.is_spot


def test_other_machines_send_no_request(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    vendor = tmp_path / "sys_vendor"
    vendor.write_text("QEMU\n")
    monkeypatch.setattr(machine, "VENDOR", vendor)
    monkeypatch.setattr(machine, "_read_machine", None)
    assert find_machine() is None


def test_missing_service_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(machine.ENDPOINT_VARIABLE, "http://127.0.0.1:9")
    assert find_machine() is None


def test_silent_service_costs_little_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setenv(machine.ENDPOINT_VARIABLE, f"http://127.0.0.1:{port}")
        start = time.monotonic()
        assert find_machine() is None
    assert time.monotonic() - start < 5


def test_incomplete_metadata_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(INSTANCE, "placement/region")
    with metadata_service(KEYS) as url:
        monkeypatch.setenv(machine.ENDPOINT_VARIABLE, url)
        assert find_machine() is None


def test_disabled_service_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with metadata_service(KEYS) as url:
        monkeypatch.setenv(machine.ENDPOINT_VARIABLE, url)
        monkeypatch.setenv(machine.DISABLED_VARIABLE, "true")
        assert find_machine() is None
