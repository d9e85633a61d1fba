"""Start Spark for a run."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import chdir
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.pipeline import Pipeline

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.hooks.errors import raise_for_user
from fruits_pipeline.spark.session import check_and_start

PHOTOS_DATASET = "photo_store"
"""Catalog entry of the photos, which `check` and `mend` do not load."""


class SparkHooks:
    """Checks the configuration and starts Spark when Kedro has created its context."""

    def __init__(self) -> None:
        self.photo_error: FruitsError | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Start the session with the settings in `spark.yml` of the environment.

        Raises:
            click.ClickException: The configuration is invalid, or there is no Java.
        """
        try:
            # Java resolves relative paths in spark.yml. A notebook runs in its own folder.
            with chdir(context.project_path):
                self.photo_error = check_and_start(context.config_loader)
        except Exception as exc:
            raise_for_user(exc)

    @hook_impl(wrapper=True, tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline) -> Generator[None, Any, Any]:
        """Raise before all other hooks if the pipeline needs photos and cannot read them.

        Raises:
            click.ClickException: The bucket of the photos is not accessible.
        """
        if self.photo_error and PHOTOS_DATASET in pipeline.inputs():
            raise_for_user(self.photo_error)
        return (yield)
