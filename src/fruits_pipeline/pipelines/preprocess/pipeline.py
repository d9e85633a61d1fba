"""The stage preprocess."""

from kedro.pipeline import Node, Pipeline

from fruits_pipeline.lineage import skip_if_unchanged
from fruits_pipeline.pipelines.preprocess.nodes import (
    draw_reject_sheet,
    list_rejects,
    make_canonical,
    measure_quality,
)
from fruits_pipeline.spark.batches import per_batch


def create_pipeline(**_: object) -> Pipeline:
    """Return the pipeline from `photos` to `images` and `quality`, and the reports on rejects."""
    return Pipeline(
        [
            Node(
                func=per_batch(make_canonical),
                inputs=["photos@batches", "params:preprocess"],
                outputs="images@batches",
                name="make_canonical",
            ),
            Node(
                func=per_batch(measure_quality),
                inputs="images@batches",
                outputs="quality@batches",
                name="measure_quality",
            ),
            Node(
                func=skip_if_unchanged(list_rejects),
                inputs="images@spark",
                outputs="rejects",
                name="list_rejects",
            ),
            Node(
                func=skip_if_unchanged(draw_reject_sheet),
                inputs=[
                    "photos@spark",
                    "images@spark",
                    "images@counts",
                    "params:report",
                    "params:preprocess.decode_memory_mib",
                ],
                outputs="reject_sheet",
                name="draw_reject_sheet",
            ),
        ],
        tags="preprocess",
    )
