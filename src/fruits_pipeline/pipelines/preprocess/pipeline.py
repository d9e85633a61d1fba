"""The stage preprocess."""

from kedro.pipeline import Node, Pipeline

from fruits_pipeline.pipelines.preprocess.nodes import make_canonical


def create_pipeline(**_: object) -> Pipeline:
    """Return the pipeline from `photos` to `images`."""
    return Pipeline(
        [
            Node(
                func=make_canonical,
                inputs=["photos", "params:preprocess"],
                outputs="images",
                name="make_canonical",
            ),
        ],
        tags="preprocess",
    )
