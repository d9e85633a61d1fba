"""Adaptations of Kedro-Viz, and previews of all datasets of the catalog."""

import inspect
import json
from pathlib import Path

from factories import PROJECT
from kedro.io import MemoryDataset
from kedro_viz.integrations.kedro.data_loader import load_data
from kedro_viz.models.flowchart.nodes import GraphNode

from fruits_pipeline.datasets import ContentRetention, LostPhotos, TidyTable
from fruits_pipeline.viz import preview_tables

NotStored = LostPhotos | TidyTable | ContentRetention
"""Datasets that repair or change tables, which other datasets show."""

KINDS = {"TablePreview", "ImagePreview", "JSONPreview", "PlotlyPreview"}


def test_every_stored_dataset_of_an_empty_root_has_a_preview(tmp_path: Path) -> None:
    folders = {name: str(tmp_path / name) for name in ("photos", "root")}
    catalog, pipelines, _ = load_data(PROJECT, extra_params=folders)
    used = {name for pipeline in pipelines.values() for name in pipeline.datasets()}
    stored = 0
    for name in used:
        dataset = catalog.get(name)
        if isinstance(dataset, MemoryDataset | NotStored):
            continue
        stored += 1
        annotation = inspect.signature(dataset.preview).return_annotation
        assert getattr(annotation, "__name__", annotation) in KINDS, name
        shown = (dataset.metadata or {}).get("kedro-viz", {})
        assert json.dumps(dataset.preview(**shown.get("preview_args", {}))), name
    assert stored > 20


def test_views_of_a_table_are_one_dataset_with_a_preview() -> None:
    preview_tables()
    dataset = MemoryDataset()
    node = GraphNode.create_data_node(
        dataset_id="1",
        dataset_name="features@spark",
        layer=None,
        tags=set(),
        dataset=dataset,
        modular_pipelines=None,
    )
    assert (node.name, node.kedro_obj) == ("features", dataset)
