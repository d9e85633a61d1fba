"""Stage featurize: compute the features of canonical photos with the backbone."""

from fruits_pipeline.pipelines.featurize.pipeline import create_pipeline

__all__ = ["create_pipeline"]
