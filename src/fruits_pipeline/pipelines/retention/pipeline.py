"""The stage retention."""

from kedro.pipeline import Node, Pipeline

from fruits_pipeline.pipelines.retention.nodes import request_removal

NEEDED = ("photos", "images", "quality", "features")
"""Tables whose rows must exist before the content of their photos is removed."""


def create_pipeline(**_: object) -> Pipeline:
    """Return the pipeline that removes the content of old photos."""
    tables = {name: f"{name}@batches" for name in NEEDED}
    return Pipeline(
        [
            Node(
                func=request_removal,
                inputs={"parameters": "params:retention", **tables},
                outputs="content_retention",
                name="request_removal",
            )
        ],
        tags="retention",
    )
