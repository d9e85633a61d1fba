"""Stage tidy: combine small batches, and delete what the tables do not need any more."""

from fruits_pipeline.pipelines.tidy.pipeline import create_pipeline

__all__ = ["create_pipeline"]
