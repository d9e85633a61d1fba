"""The stage reduce."""

from kedro.pipeline import Node, Pipeline

from fruits_pipeline.pipelines.reduce.nodes import (
    fit_pca,
    measure_moments,
    project_features,
)
from fruits_pipeline.spark.batches import per_batch


def create_pipeline(**_: object) -> Pipeline:
    """Return the pipeline from the table `features` to `reduced`."""
    return Pipeline(
        [
            Node(
                func=per_batch(measure_moments),
                inputs="features@batches",
                outputs="moments@batches",
                name="measure_moments",
            ),
            Node(
                func=fit_pca,
                inputs=["moments@tree", "existing_pca", "params:reduce"],
                outputs="pca",
                name="fit_pca",
            ),
            Node(
                func=per_batch(project_features),
                inputs=["features@batches", "pca"],
                outputs="reduced@batches",
                name="project_features",
            ),
        ],
        tags="reduce",
    )
