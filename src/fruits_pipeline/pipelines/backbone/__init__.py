"""Stage backbone: train a network and export it to LiteRT."""

from fruits_pipeline.pipelines.backbone.pipeline import create_pipeline

__all__ = ["create_pipeline"]
