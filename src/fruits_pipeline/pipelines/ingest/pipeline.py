"""The stage ingest."""

from kedro.pipeline import Node, Pipeline

from fruits_pipeline.pipelines.ingest.nodes import fetch_photos, plan_batches
from fruits_pipeline.spark.batches import per_batch


def create_pipeline(**_: object) -> Pipeline:
    """Return the pipeline from the photo root to the table `photos`."""
    return Pipeline(
        [
            Node(
                func=plan_batches,
                inputs=["photo_store", "existing_photos", "params:ingest"],
                outputs=["new_photos", "listing_counts"],
                name="plan_batches",
            ),
            Node(
                func=per_batch(fetch_photos),
                inputs=["new_photos", "params:ingest"],
                outputs="photos@batches",
                name="fetch_photos",
            ),
        ],
        tags="ingest",
    )
