"""Stage retention: remove the content of old photos, on request."""

from fruits_pipeline.pipelines.retention.pipeline import create_pipeline

__all__ = ["create_pipeline"]
