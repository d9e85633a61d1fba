"""The stage mend. It runs on request only: `kedro run --pipelines mend`."""

from kedro.pipeline import Node, Pipeline, pipeline

from fruits_pipeline.pipelines import featurize, preprocess, reduce, report
from fruits_pipeline.pipelines.mend.nodes import (
    fit_lost_pca,
    read_lost_photos,
    warn_of_ended_photos,
)
from fruits_pipeline.spark.batches import pass_if

TAG = "mend"
"""Tag of the nodes; the hooks repair the outputs of a pipeline that has it."""


def create_pipeline(**_: object) -> Pipeline:
    """Return the stages after ingest, for photos that are ingested already."""
    mend = Pipeline(
        [
            Node(
                func=read_lost_photos,
                inputs=[
                    "lost_photos",
                    "reachable_photos",
                    "forgotten",
                    "params:ingest",
                ],
                outputs="photos@batches",
                name="read_lost_photos",
            ),
            Node(
                func=pass_if(warn_of_ended_photos),
                inputs=["photos@batches", "photos@lost"],
                outputs="mended_photos",
                name="warn_of_ended_photos",
            ),
            Node(
                func=fit_lost_pca,
                inputs=["moments@tree", "existing_pca", "params:reduce"],
                outputs="pca",
                name="fit_lost_pca",
            ),
        ],
        tags=TAG,
    )
    decode = pipeline(
        preprocess.create_pipeline(), inputs={"photos@batches": "mended_photos"}
    )
    others = [
        node
        for stage in (featurize, reduce, report)
        for node in stage.create_pipeline().nodes
        # The summary contains counts of the listing, which only a complete run makes.
        if node.name not in {"fit_pca", "summarise_run"}
    ]
    return mend + decode + Pipeline(others)
