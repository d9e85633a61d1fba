"""Stage sample: render sample photos."""

from fruits_pipeline.pipelines.sample.pipeline import create_pipeline

__all__ = ["create_pipeline"]
