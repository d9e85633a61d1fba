"""Stage ingest: copy new and changed photos into the table `photos`."""

from fruits_pipeline.pipelines.ingest.pipeline import create_pipeline

__all__ = ["create_pipeline"]
