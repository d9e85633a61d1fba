"""The stage reduce."""

from kedro.pipeline import Node, Pipeline

from fruits_pipeline.pipelines.reduce.nodes import (
    fit_pca,
    measure_moments,
    project_features,
)


def create_pipeline(**_: object) -> Pipeline:
    """Return the pipeline from `features` to `reduced`."""
    return Pipeline(
        [
            Node(
                func=measure_moments,
                inputs="features",
                outputs="moments",
                name="measure_moments",
            ),
            Node(
                func=fit_pca,
                inputs=["moments", "features", "images", "held_pca", "params:reduce"],
                outputs="pca",
                name="fit_pca",
            ),
            Node(
                func=project_features,
                inputs=["features", "pca"],
                outputs="reduced",
                name="project_features",
            ),
        ],
        tags="reduce",
    )
