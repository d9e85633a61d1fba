"""Stage preprocess: convert photos to canonical form."""

from fruits_pipeline.pipelines.preprocess.pipeline import create_pipeline

__all__ = ["create_pipeline"]
