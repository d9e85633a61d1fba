"""Stage mend: repair damaged tables, models and reports."""

from fruits_pipeline.pipelines.mend.pipeline import create_pipeline

__all__ = ["create_pipeline"]
