"""Stage report: create figures, small tables and the summary of a run."""

from fruits_pipeline.pipelines.report.pipeline import create_pipeline

__all__ = ["create_pipeline"]
