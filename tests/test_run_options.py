from collections.abc import Iterator

import click
import pytest
from kedro.framework.project import configure_project, pipelines

from fruits_pipeline.run_options import check_options, choose_pipelines


@pytest.fixture(autouse=True)
def project() -> Iterator[None]:
    configure_project("fruits_pipeline")
    yield
    pipelines.set_requested(None)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ({}, []),
        ({"from_nodes": ["plot_photo_map"]}, []),
        ({"to_outputs": ["reduced"]}, []),
        ({"to_outputs": ["phone_model"]}, ["__default__", "classify"]),
        ({"node_names": ["train_classifier"]}, ["__default__", "classify"]),
        ({"tags": ["classify"]}, ["__default__", "classify"]),
        ({"to_outputs": ["backbone"]}, ["__default__", "backbone"]),
        ({"to_outputs": ["check_report"]}, ["check"]),
        ({"node_names": ["read_lost_photos"]}, ["mend"]),
        ({"to_outputs": ["sample_photos"]}, ["sample"]),
    ],
)
def test_pipelines_of_the_selected_nodes_are_chosen(
    selection: dict[str, list[str]], expected: list[str]
) -> None:
    assert choose_pipelines([], selection) == expected


def test_named_pipelines_are_kept() -> None:
    assert choose_pipelines(["reduce"], {"node_names": ["fit_pca"]}) == ["reduce"]


def test_name_of_another_pipeline_is_refused() -> None:
    with pytest.raises(
        click.UsageError, match="Found --nodes fit_pca; expected some of"
    ):
        choose_pipelines(["ingest"], {"node_names": ["fit_pca"]})


@pytest.mark.parametrize(
    "runner", [None, "SequentialRunner", "kedro.runner.SequentialRunner"]
)
def test_sequential_runner_is_accepted(runner: str | None) -> None:
    check_options({"runner": runner, "runner_params": {}, "is_async": False})
