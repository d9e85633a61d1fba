"""Check the configuration, and start Spark for a run."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import chdir
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.pipeline import Pipeline
from pyspark.sql import SparkSession

from fruits_pipeline.datasets.delta.cache import CACHE
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.hooks.errors import raise_for_user
from fruits_pipeline.spark.active import set_start, spark_session
from fruits_pipeline.spark.session import (
    check_configuration,
    check_photo_bucket,
    start_spark,
    uses_s3,
)

PHOTOS_DATASET = "photo_store"
"""Catalog entry of the photos, which `check` and `mend` do not load."""


class SparkHooks:
    """Checks the configuration at once, and starts Spark when it is needed.

    That is after all other checks of a run, or when a notebook loads the first DataFrame.
    Commands that need no Spark, such as `kedro catalog`, do not start it.
    """

    def __init__(self) -> None:
        self.config: Mapping[str, Any] = {}

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Check the configuration, and keep the settings in `spark.yml`.

        Raises:
            click.ClickException: The configuration is invalid.
        """
        try:
            self.config = context.config_loader
            settings = check_configuration(self.config)
        except Exception as exc:
            raise_for_user(exc)
        set_start(lambda: _start(context, settings))

    @hook_impl(wrapper=True, tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline) -> Generator[None, Any, Any]:
        """Check the bucket of the photos before all other hooks, and start Spark after them.

        Raises:
            click.ClickException: The bucket is not accessible and the pipeline needs it,
                there is no Java, or this machine has a limit with which Spark does not
                run.
        """
        try:
            check_photo_bucket(self.config)
        except FruitsError as exc:
            if PHOTOS_DATASET in pipeline.inputs():
                raise_for_user(exc)
        result = yield
        try:
            spark_session()
        except Exception as exc:
            CACHE.stop()
            raise_for_user(exc)
        return result


def _start(context: KedroContext, settings: Mapping[str, Any]) -> SparkSession:
    # Java resolves relative paths in spark.yml. A notebook runs in its own folder.
    with chdir(context.project_path):
        return start_spark(settings, uses_s3(context.config_loader))
