"""The stage sample. It runs on request only: `kedro run --pipelines sample`."""

from kedro.pipeline import Node, Pipeline

from fruits_pipeline.pipelines.sample.nodes import render_sample


def create_pipeline(**_: object) -> Pipeline:
    """Return the pipeline that renders `sample_photos`."""
    return Pipeline(
        [
            Node(
                func=render_sample,
                inputs="params:sample",
                outputs="sample_photos",
                name="render_sample",
            ),
        ],
        tags="sample",
    )
