"""The installed package contains what a run needs."""

import zipfile
from pathlib import Path

import pytest
from factories import BACKBONE, PROJECT, run_python

from fruits_pipeline.shipped_files import CONF, FOLDER, shipped_path


def test_checkout_ships_its_own_files() -> None:
    assert CONF.resolve() == PROJECT / "conf"
    assert Path(shipped_path("data/06_models/backbone")).resolve() == BACKBONE


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Build a wheel, and return the names of the shipped files."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder)
    run_python("-m", "pip", "wheel", *options, PROJECT)
    (wheel,) = folder.glob("*.whl")
    prefix = f"fruits_pipeline/{FOLDER.name}/"
    with zipfile.ZipFile(wheel) as archive:
        found = archive.namelist()
    return {n.removeprefix(prefix) for n in found if n.startswith(prefix)}


def test_wheel_contains_conf_the_backbone_and_the_entry_point(names: set[str]) -> None:
    files = [file for file in (PROJECT / "conf").rglob("*") if file.is_file()]
    expected = {
        str(file.relative_to(PROJECT))
        for file in [*files, *BACKBONE.iterdir()]
        if file.parent.name != "local"
    }
    assert names == expected | {"run.py", "conf/local/.gitkeep"}
