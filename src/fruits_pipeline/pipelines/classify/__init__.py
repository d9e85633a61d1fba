"""Stage classify: train and evaluate a classifier, and build the phone model."""

from fruits_pipeline.pipelines.classify.pipeline import create_pipeline

__all__ = ["create_pipeline"]
