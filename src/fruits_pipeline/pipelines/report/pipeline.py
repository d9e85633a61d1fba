"""The stage report."""

from kedro.pipeline import Node, Pipeline

from fruits_pipeline.lineage import skip_if_unchanged
from fruits_pipeline.pipelines.report.nodes import (
    count_labels,
    draw_class_sheet,
    plot_photo_map,
    plot_variance_curve,
    summarise_run,
)


def create_pipeline(**_: object) -> Pipeline:
    """Return the pipeline from the tables to figures and a summary."""
    return Pipeline(
        [
            Node(
                func=skip_if_unchanged(count_labels),
                inputs="images@spark",
                outputs="label_counts",
                name="count_labels",
            ),
            Node(
                func=skip_if_unchanged(plot_variance_curve),
                inputs="pca",
                outputs="variance_curve",
                name="plot_variance_curve",
            ),
            Node(
                func=skip_if_unchanged(plot_photo_map),
                inputs=["reduced@spark", "pca", "params:report"],
                outputs="photo_map",
                name="plot_photo_map",
            ),
            Node(
                func=skip_if_unchanged(draw_class_sheet),
                inputs=["images@spark", "params:report"],
                outputs="class_sheet",
                name="draw_class_sheet",
            ),
            Node(
                func=summarise_run,
                inputs=[
                    "photos@counts",
                    "images@counts",
                    "features@counts",
                    "pca",
                    "listing_counts",
                ],
                outputs="run_summary",
                name="summarise_run",
            ),
        ],
        tags="report",
    )
