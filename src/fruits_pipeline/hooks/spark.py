"""Check the configuration, and start Spark for a run."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import chdir
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from pyspark.sql import SparkSession

from fruits_pipeline.datasets.delta.cache import CACHE
from fruits_pipeline.hooks.errors import raise_for_user
from fruits_pipeline.spark.active import set_start, spark_session
from fruits_pipeline.spark.session import check_configuration, check_jars, start_spark


class SparkHooks:
    """Checks the configuration at once, and starts Spark when it is needed.

    That is after all other checks of a run, or when a notebook loads the first DataFrame.
    Commands that need no Spark, such as `kedro catalog`, do not start it.
    """

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Check the configuration, and keep the settings in `spark.yml`.

        Raises:
            click.ClickException: The configuration is invalid.
        """
        try:
            settings = check_configuration(context.config_loader)
        except Exception as exc:
            raise_for_user(exc)
        set_start(lambda: _start(context, settings))

    @hook_impl(trylast=True)
    def before_pipeline_run(self) -> None:
        """Start Spark, after the lineage was checked.

        Raises:
            click.ClickException: There is no Java, or this machine has a limit with which
                Spark does not run.
        """
        try:
            spark_session()
        except Exception as exc:
            CACHE.stop()
            raise_for_user(exc)


def _start(context: KedroContext, settings: Mapping[str, Any]) -> SparkSession:
    check_jars(context.config_loader, settings)
    # Java resolves relative paths in spark.yml. A notebook runs in its own folder.
    with chdir(context.project_path):
        return start_spark(settings)
