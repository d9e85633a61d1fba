"""The stage check. It runs on request only: `kedro run --pipelines check`."""

from kedro.pipeline import Node, Pipeline

from fruits_pipeline.pipelines.check.nodes import (
    check_tables,
    collect_models,
    compare_photo_root,
    find_unfinished_erasures,
    inspect_files,
    make_report,
    raise_findings,
)
from fruits_pipeline.schemas import TABLES


def create_pipeline(**_: object) -> Pipeline:
    """Return the pipeline from everything below root to `check_report`."""
    inspections = [
        Node(
            func=inspect_files,
            inputs=[f"{table}@state", "params:check"],
            outputs=f"{table}_inspected",
            name=f"inspect_{table}",
        )
        for table in TABLES
    ]
    inspected = [f"{table}_inspected" for table in TABLES]
    return Pipeline(
        [
            *inspections,
            Node(
                func=collect_models,
                inputs=["any_pca", "any_classifier", "any_phone_model", "any_backbone"],
                outputs="models",
                name="collect_models",
            ),
            Node(
                func=check_tables,
                inputs=["models", *inspected],
                outputs="table_findings",
                name="check_tables",
            ),
            Node(
                func=compare_photo_root,
                inputs=[
                    "photos_inspected",
                    "reachable_photos",
                    "any_forgotten",
                    "params:ingest",
                ],
                outputs="photo_root_findings",
                name="compare_photo_root",
            ),
            Node(
                func=find_unfinished_erasures,
                inputs=["any_forgotten", "any_search_terms"],
                outputs="erasure_findings",
                name="find_unfinished_erasures",
            ),
            Node(
                func=make_report,
                inputs=[
                    "photo_root_findings",
                    "table_findings",
                    "erasure_findings",
                    "report_files",
                    "models",
                    *inspected,
                ],
                outputs="check_report",
                name="make_report",
            ),
            Node(
                func=raise_findings,
                inputs="check_report",
                outputs=None,
                name="raise_findings",
            ),
        ],
        tags="check",
    )
