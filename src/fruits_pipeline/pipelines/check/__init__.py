"""Stage check: verify all files below root, and that every photo is accounted for."""

from fruits_pipeline.pipelines.check.pipeline import create_pipeline

__all__ = ["create_pipeline"]
