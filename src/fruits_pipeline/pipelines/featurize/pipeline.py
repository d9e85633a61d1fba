"""The stage featurize."""

from kedro.pipeline import Node, Pipeline

from fruits_pipeline.pipelines.featurize.nodes import check_error_rate, embed_images
from fruits_pipeline.spark.batches import pass_if, per_batch


def create_pipeline(**_: object) -> Pipeline:
    """Return the pipeline from the table `images` to `features`."""
    return Pipeline(
        [
            Node(
                func=pass_if(check_error_rate),
                inputs=[
                    "images@batches",
                    "rejects",
                    "images@counts",
                    "params:preprocess.max_error_rate",
                ],
                outputs="accepted_images",
                name="check_error_rate",
            ),
            Node(
                func=per_batch(embed_images),
                inputs=[
                    "accepted_images",
                    "backbone",
                    "params:featurize",
                    "params:preprocess.seconds_per_photo",
                ],
                outputs="features@batches",
                name="embed_images",
            ),
        ],
        tags="featurize",
    )
