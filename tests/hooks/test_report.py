from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from kedro_datasets.json import JSONDataset

from fruits_pipeline.hooks import ReportHooks, report
from fruits_pipeline.lineage import when_changed


class Table(MemoryDataset):
    """A table with a version."""

    version = 1

    def state(self) -> str:
        return f"id {self.version}"


@pytest.fixture
def drawn() -> list[str]:
    """What nodes did."""
    return []


@pytest.fixture
def run(tmp_path: Path, drawn: list[str]) -> Callable[[], None]:
    """Run a pipeline of three nodes, one of which is never skipped."""

    def draw(table: str, size: int) -> dict[str, Any]:
        drawn.append("figure")
        return {"table": table, "size": size}

    def count(table: str) -> dict[str, Any]:
        drawn.append("count")
        return {"table": table}

    def summarise(table: str) -> dict[str, Any]:
        drawn.append("summary")
        return {"table": table}

    pipeline = Pipeline(
        [
            Node(when_changed(draw), ["table", "params:size"], "figure", name="draw"),
            Node(when_changed(count), "table", "counts", name="count"),
            Node(summarise, "table", "summary", name="summarise"),
        ]
    )
    files = ("figure", "counts", "summary", "report_states")
    catalog = DataCatalog(
        {n: JSONDataset(filepath=f"{tmp_path}/{n}.json") for n in files}
        | {"table": Table("rows"), "params:size": MemoryDataset(3)}
    )
    hooks = ReportHooks()

    def run() -> None:
        hooks.before_pipeline_run(pipeline, catalog)
        for node in pipeline.nodes:
            inputs = {name: catalog.load(name) for name in node.inputs}
            inputs |= hooks.before_node_run(node, catalog, inputs) or {}
            result = node.run(inputs)
            for name, value in result.items():
                values = value if node.name != "summarise" else [value]
                for one in values:
                    catalog.save(name, one)
                    hooks.after_dataset_saved(node)
        hooks.after_pipeline_run(catalog)
        drawn.append("|")

    run.catalog = catalog  # type: ignore[attr-defined]
    return run


def runs(drawn: list[str]) -> list[set[str]]:
    """Return what each run did."""
    return [set(part.split()) for part in " ".join(drawn).split("|")[:-1]]


def test_nodes_with_the_same_inputs_are_skipped(
    run: Callable[[], None], drawn: list[str]
) -> None:
    run()
    run()
    assert runs(drawn) == [{"figure", "count", "summary"}, {"summary"}]


def test_a_new_version_of_a_table_is_drawn(run: Any, drawn: list[str]) -> None:
    run()
    run.catalog["table"].version = 2
    run()
    assert runs(drawn)[1] == {"figure", "count", "summary"}


def test_a_changed_parameter_draws_what_depends_on_it(
    run: Any, drawn: list[str]
) -> None:
    run()
    run.catalog["params:size"] = MemoryDataset(4)
    run()
    assert runs(drawn)[1] == {"figure", "summary"}


def test_a_figure_that_was_deleted_is_drawn(
    run: Any, drawn: list[str], tmp_path: Path
) -> None:
    run()
    (tmp_path / "figure.json").unlink()
    run()
    assert runs(drawn)[1] == {"figure", "summary"}


def test_figures_of_another_program_are_drawn(
    run: Any, drawn: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    monkeypatch.setattr(report, "_code", lambda: "another")
    run()
    assert runs(drawn)[1] == {"figure", "count", "summary"}


def test_a_figure_of_a_run_that_failed_later_is_not_taken_for_another(
    run: Any, drawn: list[str]
) -> None:
    run()
    run.catalog["params:size"] = MemoryDataset(4)
    run()
    run.catalog["params:size"] = MemoryDataset(3)
    run()
    assert runs(drawn)[2] == {"figure", "summary"}


@pytest.mark.parametrize("content", ["", "{", "["])
def test_damaged_states_are_as_good_as_none(
    run: Any, drawn: list[str], tmp_path: Path, content: str
) -> None:
    run()
    (tmp_path / "report_states.json").write_text(content)
    run()
    assert runs(drawn)[1] == {"figure", "count", "summary"}
