from fruits_pipeline.pipelines.classify.pipeline import create_pipeline

__all__ = ["create_pipeline"]
