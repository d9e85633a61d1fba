"""Tables are available in scripts and in IPython."""

import shutil
from pathlib import Path

import pytest
from factories import PROJECT, run_python
from kedro.framework.session import KedroSession
from pipeline_runs import GOOD_PHOTOS, PipelineRun

pytestmark = pytest.mark.system

IPYTHON = """
%reload_kedro {project} --params=root={root},photos={photos}
spark, pandas = catalog.load("features@spark"), catalog.load("reduced@pandas")
print("rows:", spark.count(), len(pandas))
"""


@pytest.mark.usefixtures("kedro_run")
def test_script_loads_tables(first_run: PipelineRun) -> None:
    folders = {"photos": str(first_run.photos), "root": str(first_run.root)}
    with KedroSession.create(PROJECT, runtime_params=folders) as session:
        catalog = session.load_context().catalog
        features = catalog.load("features@spark")
        features.show(2)
        assert features.count() == len(features.toPandas()) == len(GOOD_PHOTOS)
        for name in ("photos@spark", "images@spark", "reduced@spark"):
            assert catalog.load(name).count() >= len(GOOD_PHOTOS)
        for name in ("features@pandas", "reduced@pandas"):
            assert sorted(catalog.load(name)["path"]) == sorted(GOOD_PHOTOS)


def test_ipython_loads_tables(first_run: PipelineRun, tmp_path: Path) -> None:
    # %reload_kedro does not accept paths with spaces.
    root = shutil.copytree(first_run.root, tmp_path / "root")
    photos = shutil.copytree(first_run.photos, tmp_path / "photos")
    script = tmp_path / "load_tables.ipy"
    script.write_text(IPYTHON.format(project=PROJECT, root=root, photos=photos))
    output = run_python("-m", "IPython", "--ext", "kedro.ipython", script)
    assert f"rows: {len(GOOD_PHOTOS)} {len(GOOD_PHOTOS)}" in output
