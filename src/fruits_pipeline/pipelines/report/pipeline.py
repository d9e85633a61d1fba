"""The stage report."""

from kedro.pipeline import Node, Pipeline

from fruits_pipeline.lineage import skip_if_unchanged
from fruits_pipeline.pipelines.report.exploration import (
    arrange_atlas,
    compare_photos,
    count_findings,
    decide_exploration,
    list_near_duplicates,
    list_neighbours,
    list_outliers,
    list_suspect_labels,
)
from fruits_pipeline.pipelines.report.nodes import (
    count_labels,
    draw_class_sheet,
    plot_photo_map,
    plot_variance_curve,
    summarise_run,
)
from fruits_pipeline.pipelines.report.photos import (
    compare_batches,
    count_coverage,
    count_measures,
    draw_atlas,
    find_quality_issues,
    make_thumbnails,
    read_quality,
)

EXPLORATIONS = {
    "neighbours": list_neighbours,
    "near_duplicates": list_near_duplicates,
    "suspect_labels": list_suspect_labels,
    "outliers": list_outliers,
    "atlas": arrange_atlas,
    "exploration": count_findings,
}
"""Reports of the comparison of photos, and the functions that make them."""

SHOWN_REPORTS = (
    "near_duplicates",
    "suspect_labels",
    "outliers",
    "quality_issues",
    "atlas",
)
"""Reports whose photos have thumbnails."""


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
                inputs=[
                    "images@content",
                    "images@counts",
                    "content_retention",
                    "params:report",
                ],
                outputs="class_sheet",
                name="draw_class_sheet",
            ),
            Node(
                func=decide_exploration,
                inputs="params:report",
                outputs="explores",
                name="decide_exploration",
            ),
            Node(
                func=compare_photos,
                inputs=[
                    "reduced@spark",
                    "reduced@counts",
                    "explores",
                    "params:report",
                    "params:classify.training_splits",
                ],
                outputs="comparison",
                name="compare_photos",
            ),
            *(
                Node(
                    func=skip_if_unchanged(function),
                    inputs="comparison",
                    outputs=output,
                    name=function.__name__,
                )
                for output, function in EXPLORATIONS.items()
            ),
            Node(
                func=read_quality,
                inputs=["quality@spark", "quality@counts", "params:report"],
                outputs="quality_rows",
                name="read_quality",
            ),
            Node(
                func=skip_if_unchanged(find_quality_issues),
                inputs=["quality_rows", "params:report"],
                outputs="quality_issues",
                name="find_quality_issues",
            ),
            Node(
                func=skip_if_unchanged(count_measures),
                inputs=["quality_rows", "params:report"],
                outputs="quality_histograms",
                name="count_measures",
            ),
            Node(
                func=skip_if_unchanged(count_coverage),
                inputs=["quality_rows", "photos@new"],
                outputs="coverage",
                name="count_coverage",
            ),
            Node(
                func=skip_if_unchanged(compare_batches),
                inputs=["quality_rows", "moments@tree", "pca", "photos@new"],
                outputs="batch_changes",
                name="compare_batches",
            ),
            Node(
                func=skip_if_unchanged(make_thumbnails),
                inputs={
                    "images": "images@content",
                    "parameters": "params:report",
                    **{name: name for name in SHOWN_REPORTS},
                },
                outputs="thumbnails",
                name="make_thumbnails",
            ),
            Node(
                func=skip_if_unchanged(draw_atlas),
                inputs=["atlas", "thumbnails"],
                outputs="photo_atlas",
                name="draw_atlas",
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
