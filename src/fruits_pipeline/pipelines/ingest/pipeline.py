"""The stage ingest."""

from kedro.pipeline import Node, Pipeline

from fruits_pipeline.pipelines.ingest.nodes import ingest_photos


def create_pipeline(**_: object) -> Pipeline:
    """Return the pipeline from the photo store to `photos`."""
    return Pipeline(
        [
            Node(
                func=ingest_photos,
                inputs=["photo_store", "held_photos", "params:ingest"],
                outputs="photos",
                name="ingest_photos",
            ),
        ],
        tags="ingest",
    )
