"""The stage ingest."""

from kedro.pipeline import Node, Pipeline

from fruits_pipeline.pipelines.ingest.forgetting import leave_out_forgotten
from fruits_pipeline.pipelines.ingest.nodes import fetch_changes, plan_batches


def create_pipeline(**_: object) -> Pipeline:
    """Return the pipeline from the photo root to the table `photos`."""
    return Pipeline(
        [
            Node(
                func=leave_out_forgotten,
                inputs=["photo_store", "existing_photos", "forgotten", "params:ingest"],
                outputs="allowed_files",
                name="leave_out_forgotten",
            ),
            Node(
                func=plan_batches,
                inputs=["allowed_files", "existing_photos", "params:ingest"],
                outputs=["new_photos", "listing_counts"],
                name="plan_batches",
            ),
            Node(
                func=fetch_changes,
                inputs=["new_photos", "params:ingest"],
                outputs="photos@batches",
                name="fetch_photos",
            ),
        ],
        tags="ingest",
    )
