"""The stage report."""

from kedro.pipeline import Node, Pipeline

from fruits_pipeline.lineage import when_changed
from fruits_pipeline.pipelines.report.nodes import (
    count_labels,
    draw_class_sheet,
    draw_reject_sheet,
    list_rejects,
    plot_photo_map,
    plot_variance_curve,
    summarise_run,
)


def create_pipeline(**_: object) -> Pipeline:
    """Return the pipeline from the tables to figures and small tables of them."""
    return Pipeline(
        [
            Node(
                func=when_changed(count_labels),
                inputs="images@spark",
                outputs="label_counts",
                name="count_labels",
            ),
            Node(
                func=when_changed(list_rejects),
                inputs="images@spark",
                outputs="rejects",
                name="list_rejects",
            ),
            Node(
                func=when_changed(plot_variance_curve),
                inputs="pca",
                outputs="variance_curve",
                name="plot_variance_curve",
            ),
            Node(
                func=when_changed(plot_photo_map),
                inputs=["reduced@spark", "pca", "params:report"],
                outputs="photo_map",
                name="plot_photo_map",
            ),
            Node(
                func=when_changed(draw_class_sheet),
                inputs=["images@spark", "params:report"],
                outputs="class_sheet",
                name="draw_class_sheet",
            ),
            Node(
                func=when_changed(draw_reject_sheet),
                inputs=[
                    "photos@spark",
                    "images@spark",
                    "images@counts",
                    "params:report",
                ],
                outputs="reject_sheet",
                name="draw_reject_sheet",
            ),
            Node(
                func=summarise_run,
                inputs=["images@counts", "features@counts", "pca", "listing_counts"],
                outputs="run_summary",
                name="summarise_run",
            ),
        ],
        tags="report",
    )
