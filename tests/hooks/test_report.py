from pathlib import Path

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from kedro_datasets.json import JSONDataset

from fruits_pipeline.hooks import report
from fruits_pipeline.hooks.report import ReportHooks
from fruits_pipeline.lineage import skip_if_unchanged

OUTPUTS = {"figure", "counts", "summary"}


class Table(MemoryDataset):
    """A table with a version."""

    version = 1

    def fingerprint(self) -> str:
        return f"id {self.version}"


class ReportRun:
    """A pipeline with reports; the node of `summary` is never skipped.

    Args:
        folder: Folder of the outputs.
    """

    def __init__(self, folder: Path) -> None:
        self.table = Table("rows")
        self.hooks = ReportHooks()
        self.computed: set[str] = set()
        files = (*OUTPUTS, "report_states")
        self.catalog = DataCatalog(
            {name: JSONDataset(filepath=f"{folder}/{name}.json") for name in files}
            | {"table": self.table, "params:size": MemoryDataset(3)}
            | {"rows": MemoryDataset(copy_mode="assign")}
        )
        draw, count = skip_if_unchanged(self.draw), skip_if_unchanged(self.count)
        self.pipeline = Pipeline(
            [
                Node(draw, ["table", "params:size"], "figure", name="draw"),
                Node(lambda table: [table], "table", "rows", name="read"),
                Node(count, "rows", "counts", name="count"),
                Node(self.summarise, "table", "summary", name="summarise"),
            ]
        )

    def draw(self, table: str, size: int) -> str:
        self.computed.add("figure")
        return f"{table} {size}"

    def count(self, rows: list[str]) -> str:
        self.computed.add("counts")
        return rows[0]

    def summarise(self, table: str) -> str:
        self.computed.add("summary")
        return table

    def __call__(self) -> set[str]:
        """Run the pipeline with the hooks; return the names of computed outputs."""
        self.computed.clear()
        self.hooks.before_pipeline_run(self.pipeline, self.catalog)
        for node in self.pipeline.nodes:
            inputs = {name: self.catalog.load(name) for name in node.inputs}
            inputs |= self.hooks.before_node_run(node, self.catalog, inputs) or {}
            for name, result in node.run(inputs).items():
                # `skip_if_unchanged` returns a generator of at most one output.
                is_result = isinstance(result, str | list)
                for output in [result] if is_result else result:
                    self.catalog.save(name, output)
                    self.hooks.after_dataset_saved(node)
        self.hooks.after_pipeline_run(self.catalog)
        return {*self.computed}


@pytest.fixture
def run(tmp_path: Path) -> ReportRun:
    return ReportRun(tmp_path)


def test_nodes_with_the_same_inputs_are_skipped(run: ReportRun) -> None:
    assert run() == OUTPUTS
    assert run() == {"summary"}


def test_new_table_version_updates_its_outputs(run: ReportRun) -> None:
    run()
    run.table.version = 2
    assert run() == OUTPUTS


def test_changed_parameter_updates_only_dependent_outputs(run: ReportRun) -> None:
    run()
    run.catalog["params:size"] = MemoryDataset(4)
    assert run() == {"figure", "summary"}


def test_deleted_output_is_computed_again(run: ReportRun, tmp_path: Path) -> None:
    run()
    (tmp_path / "figure.json").unlink()
    assert run() == {"figure", "summary"}


def test_changed_code_updates_all_outputs(
    run: ReportRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run()
    (tmp_path / "changed.py").touch()
    monkeypatch.setattr(report, "PACKAGE", tmp_path)
    assert run() == OUTPUTS


def test_restored_parameter_updates_the_output_again(run: ReportRun) -> None:
    run()
    for size in (4, 3):
        run.catalog["params:size"] = MemoryDataset(size)
        assert run() == {"figure", "summary"}


@pytest.mark.parametrize("content", ["", "{", "["])
def test_damaged_states_are_ignored(
    run: ReportRun, tmp_path: Path, content: str
) -> None:
    run()
    (tmp_path / "report_states.json").write_text(content)
    assert run() == OUTPUTS


def test_error_of_a_node_is_kept_if_the_states_cannot_be_saved(
    run: ReportRun, tmp_path: Path
) -> None:
    run()
    (tmp_path / "report_states.json").unlink()
    (tmp_path / "report_states.json").mkdir()
    run.hooks.digests = {"draw": "new"}
    run.hooks.on_pipeline_error(run.catalog)


def test_output_with_other_content_is_computed_again(
    run: ReportRun, tmp_path: Path
) -> None:
    run()
    (tmp_path / "figure.json").write_text('"of another program"')
    assert run() == {"figure", "summary"}
    assert run() == {"summary"}
