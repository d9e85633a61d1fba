"""Pipelines of the project."""

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline

from fruits_pipeline.viz import preview_tables

DEFAULT_STAGES = ("ingest", "preprocess", "featurize", "reduce", "report")


def register_pipelines() -> dict[str, Pipeline]:
    """Return a pipeline for each stage, and the default pipeline as `__default__`."""
    preview_tables()
    pipelines: dict[str, Pipeline] = find_pipelines(raise_errors=True)
    # With `--pipelines`, Kedro finds only the pipelines that are named there.
    stages = (pipelines[name] for name in DEFAULT_STAGES if name in pipelines)
    pipelines["__default__"] = sum(stages, Pipeline([]))
    return pipelines
