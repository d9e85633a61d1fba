"""The stage featurize."""

from kedro.pipeline import Node, Pipeline

from fruits_pipeline.pipelines.featurize.nodes import accept_images, embed_images


def create_pipeline(**_: object) -> Pipeline:
    """Return the pipeline from `images` to `features`."""
    return Pipeline(
        [
            Node(
                func=accept_images,
                inputs=["images", "params:preprocess.max_error_rate"],
                outputs="readable_images",
                name="accept_images",
            ),
            Node(
                func=embed_images,
                inputs=["readable_images", "backbone", "params:featurize"],
                outputs="features",
                name="embed_images",
            ),
        ],
        tags="featurize",
    )
