from fruits_pipeline.pipelines.reduce.pipeline import create_pipeline

__all__ = ["create_pipeline"]
