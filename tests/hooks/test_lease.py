"""The lease of runs; its files are tested in `tests/io`."""

from pathlib import Path
from typing import Any

import click
import pytest
from kedro.framework.hooks.manager import _create_hook_manager
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from kedro_datasets.json import JSONDataset

from fruits_pipeline.datasets import PhotoStore
from fruits_pipeline.hooks.lease import LeaseHooks
from fruits_pipeline.io.lease.held import HELD, release_lease


@pytest.fixture
def hooks() -> Any:
    """Return a hook manager with the hooks of the lease only."""
    manager = _create_hook_manager()
    manager.register(LeaseHooks())
    yield manager.hook
    release_lease()


def _identity(value: object) -> object:
    return value


def arguments(root: Path, output: Path | None, **parameters: str) -> dict[str, Any]:
    """Return the arguments of `before_pipeline_run`.

    Args:
        root: Root of the tables.
        output: File that the pipeline writes; None for an output in memory.
        **parameters: Parameters of the run.
    """
    written = JSONDataset(filepath=str(output)) if output else MemoryDataset()
    store = PhotoStore(filepath=f"{root}/photos", tables={"path": str(root)})
    return {
        "run_params": {"pipeline_names": ["classify"], "runtime_params": parameters},
        "pipeline": Pipeline([Node(_identity, "input", "output", name="n")]),
        "catalog": DataCatalog({"photo_store": store, "output": written}),
    }


def test_run_that_writes_below_root_holds_the_lease(hooks: Any, tmp_path: Path) -> None:
    run = arguments(tmp_path / "root", tmp_path / "root/08_reporting/x.json")
    lease = tmp_path / "root/.lease.json"
    hooks.before_pipeline_run(**run)
    assert "kedro run --pipelines classify" in lease.read_text()
    hooks.after_pipeline_run(**run, run_result={})
    assert not lease.exists()
    hooks.before_pipeline_run(**run)
    hooks.on_pipeline_error(**run, error=ValueError())
    assert not lease.exists()


@pytest.mark.parametrize("output", [None, "root of others/x.json"])
def test_other_runs_take_no_lease(
    hooks: Any, tmp_path: Path, output: str | None
) -> None:
    run = arguments(tmp_path / "root", tmp_path / output if output else None)
    hooks.before_pipeline_run(**run)
    assert not HELD
    assert not (tmp_path / "root").exists()


def test_lost_lease_is_reported_before_an_output_is_saved(
    hooks: Any, tmp_path: Path
) -> None:
    run = arguments(tmp_path, tmp_path / "x.json")
    hooks.before_pipeline_run(**run)
    (tmp_path / ".lease.json").unlink()
    HELD[0].renewed_at -= 100
    with pytest.raises(Exception, match="was deleted"):
        hooks.before_dataset_saved(dataset_name="x", data=1, node=None)


def test_root_that_cannot_be_written_is_reported(hooks: Any, tmp_path: Path) -> None:
    (tmp_path / "root").write_text("a file")
    run = arguments(tmp_path / "root", tmp_path / "root/x.json")
    with pytest.raises(click.ClickException, match="root is not accessible"):
        hooks.before_pipeline_run(**run)
