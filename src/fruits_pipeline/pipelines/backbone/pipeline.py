"""The stage backbone. It runs on request only: `kedro run --pipelines backbone`."""

from kedro.pipeline import Node, Pipeline

from fruits_pipeline.pipelines.backbone.nodes import build_backbone


def create_pipeline(**_: object) -> Pipeline:
    """Return the pipeline from `images` to `backbone` and `training_curves`."""
    return Pipeline(
        [
            Node(
                func=build_backbone,
                inputs=["images@content", "params:backbone"],
                outputs=["backbone", "training_curves"],
                name="build_backbone",
            ),
        ],
        tags="backbone",
    )
