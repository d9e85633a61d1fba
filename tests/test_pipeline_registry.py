from collections.abc import Mapping

import pytest
from factories import TABLES
from kedro.framework.project import configure_project
from kedro.pipeline import Pipeline

from fruits_pipeline.parameters import STAGES
from fruits_pipeline.pipeline_registry import DEFAULT_STAGES, register_pipelines

Pipelines = Mapping[str, Pipeline]


@pytest.fixture(scope="module")
def pipelines() -> Pipelines:
    configure_project("fruits_pipeline")
    return register_pipelines()


def test_every_stage_is_a_pipeline(pipelines: Pipelines) -> None:
    assert pipelines.keys() >= (STAGES.keys() - {"storage"}) | {"__default__"}
    assert all(pipeline.nodes for pipeline in pipelines.values())


def test_default_pipeline_contains_the_default_stages(pipelines: Pipelines) -> None:
    names = {node.name for stage in DEFAULT_STAGES for node in pipelines[stage].nodes}
    assert {node.name for node in pipelines["__default__"].nodes} == names


def test_default_pipeline_has_five_inputs(pipelines: Pipelines) -> None:
    inputs = pipelines["__default__"].inputs()
    assert {name for name in inputs if not name.startswith("params:")} == {
        "photo_store",
        "backbone",
        "existing_photos",
        "existing_pca",
        "forgotten",
    }


def test_default_pipeline_writes_every_table(pipelines: Pipelines) -> None:
    tables = {f"{table}@batches" for table in TABLES}
    assert tables | {"pca"} <= pipelines["__default__"].all_outputs()


def test_every_node_is_tagged_with_its_stage(pipelines: Pipelines) -> None:
    for stage in STAGES.keys() - {"storage"}:
        assert all(node.tags == {stage} for node in pipelines[stage].nodes)


def test_tables_are_written_before_they_are_read(pipelines: Pipelines) -> None:
    nodes = pipelines["__default__"].nodes
    tables = [n for node in nodes for n in node.outputs if n.endswith("@batches")]
    names = ["photos", "images", "quality", "features", "moments", "reduced"]
    assert tables == [f"{name}@batches" for name in names]


def test_rejects_are_reported_before_the_error_rate_stops_a_run(
    pipelines: Pipelines,
) -> None:
    names = [node.name for node in pipelines["__default__"].nodes]
    check = names.index("check_error_rate")
    assert {"list_rejects", "draw_reject_sheet"} <= {*names[:check]}
