"""The stage preprocess."""

from kedro.pipeline import Node, Pipeline

from fruits_pipeline.pipelines.preprocess.nodes import make_canonical
from fruits_pipeline.spark.batches import per_batch


def create_pipeline(**_: object) -> Pipeline:
    """Return the pipeline from `photos` to `images`."""
    return Pipeline(
        [
            Node(
                func=per_batch(make_canonical),
                inputs=["photos@batches", "params:preprocess"],
                outputs="images@batches",
                name="make_canonical",
            ),
        ],
        tags="preprocess",
    )
