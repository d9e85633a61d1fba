from collections.abc import Mapping

import pytest
from factories import TABLES
from kedro.framework.project import configure_project
from kedro.pipeline import Pipeline

from fruits_pipeline.parameters import STAGES
from fruits_pipeline.pipeline_registry import CHAIN, register_pipelines


@pytest.fixture(scope="module")
def pipelines() -> Mapping[str, Pipeline]:
    configure_project("fruits_pipeline")
    return register_pipelines()


def test_every_stage_is_a_pipeline(pipelines: Mapping[str, Pipeline]) -> None:
    assert pipelines.keys() >= (STAGES.keys() - {"storage"}) | {"__default__"}
    assert all(pipeline.nodes for pipeline in pipelines.values())


def test_the_default_is_the_chain(pipelines: Mapping[str, Pipeline]) -> None:
    chain = {node.name for stage in CHAIN for node in pipelines[stage].nodes}
    assert {node.name for node in pipelines["__default__"].nodes} == chain


def test_the_default_needs_only_photos_a_backbone_and_its_earlier_results(
    pipelines: Mapping[str, Pipeline],
) -> None:
    given = {n for n in pipelines["__default__"].inputs() if n.startswith("params:")}
    assert pipelines["__default__"].inputs() - given == {
        "photo_store",
        "backbone",
        "existing_photos",
        "existing_pca",
    }


def test_the_default_writes_every_table(pipelines: Mapping[str, Pipeline]) -> None:
    tables = {f"{table}@batches" for table in TABLES}
    assert tables | {"pca"} <= pipelines["__default__"].all_outputs()


def test_every_node_is_tagged_with_its_stage(
    pipelines: Mapping[str, Pipeline],
) -> None:
    for stage in STAGES.keys() - {"storage"}:
        assert [node.tags for node in pipelines[stage].nodes] == [{stage}] * len(
            pipelines[stage].nodes
        )


def test_tables_are_written_before_they_are_read(
    pipelines: Mapping[str, Pipeline],
) -> None:
    stages = [*{tag: None for n in pipelines["__default__"].nodes for tag in n.tags}]
    assert sorted(stages, key=CHAIN.index)[:3] == stages[:3]
