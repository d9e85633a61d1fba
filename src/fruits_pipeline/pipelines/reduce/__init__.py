"""Stage reduce: fit a PCA to the features and project them onto its components."""

from fruits_pipeline.pipelines.reduce.pipeline import create_pipeline

__all__ = ["create_pipeline"]
