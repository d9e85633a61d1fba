"""The stage report."""

from kedro.pipeline import Node, Pipeline

from fruits_pipeline.pipelines.report.nodes import (
    count_labels,
    draw_class_sheet,
    draw_reject_sheet,
    list_rejects,
    plot_photo_map,
    plot_variance_curve,
    select_current,
    summarise_run,
)


def create_pipeline(**_: object) -> Pipeline:
    """Return the pipeline from the tables to figures and small tables of them."""
    return Pipeline(
        [
            Node(
                func=select_current,
                inputs="images",
                outputs="current_photos",
                name="select_current",
            ),
            Node(
                func=count_labels,
                inputs="current_photos",
                outputs="label_counts",
                name="count_labels",
            ),
            Node(
                func=list_rejects,
                inputs="current_photos",
                outputs="rejects",
                name="list_rejects",
            ),
            Node(
                func=plot_variance_curve,
                inputs="pca",
                outputs="variance_curve",
                name="plot_variance_curve",
            ),
            Node(
                func=plot_photo_map,
                inputs=["reduced", "current_photos", "pca", "params:report"],
                outputs="photo_map",
                name="plot_photo_map",
            ),
            Node(
                func=draw_class_sheet,
                inputs=["images", "current_photos", "params:report"],
                outputs="class_sheet",
                name="draw_class_sheet",
            ),
            Node(
                func=draw_reject_sheet,
                inputs=["photos", "current_photos", "params:report"],
                outputs="reject_sheet",
                name="draw_reject_sheet",
            ),
            Node(
                func=summarise_run,
                inputs=["current_photos", "features", "pca"],
                outputs="run_summary",
                name="summarise_run",
            ),
        ],
        tags="report",
    )
