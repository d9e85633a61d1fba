"""The stage tidy. It runs on request only: `kedro run --pipelines tidy`."""

from kedro.pipeline import Node, Pipeline

from fruits_pipeline.pipelines.tidy.nodes import plan_tidy, report_tidy, tidy_table
from fruits_pipeline.schemas import TABLES, UPSTREAM

TAG = "tidy"


def create_pipeline(**_: object) -> Pipeline:
    """Return the pipeline that tidies all tables, each after its upstream table."""
    tables = [
        Node(
            func=tidy_table,
            inputs=[
                "tidy_plan",
                *([f"tidied_{UPSTREAM[table]}"] if table in UPSTREAM else []),
            ],
            outputs=f"tidied_{table}",
            name=f"tidy_{table}",
        )
        for table in TABLES
    ]
    return Pipeline(
        [
            Node(
                func=plan_tidy,
                inputs=[
                    "photos@counts",
                    "photos@new",
                    "existing_pca",
                    "params:ingest",
                    "params:tidy",
                ],
                outputs="tidy_plan",
                name="plan_tidy",
            ),
            *tables,
            Node(
                func=report_tidy,
                inputs=[f"tidied_{table}" for table in TABLES],
                outputs=None,
                name="report_tidy",
            ),
        ],
        tags=TAG,
    )
