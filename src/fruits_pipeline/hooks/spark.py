"""Start Spark for a run."""

from __future__ import annotations

from contextlib import chdir

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl

from fruits_pipeline.hooks.errors import raise_for_user
from fruits_pipeline.spark.session import check_and_start


class SparkHooks:
    """Checks the configuration and starts Spark when Kedro has created its context."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Start the session with the settings in `spark.yml` of the environment.

        Raises:
            click.ClickException: The configuration is invalid, or there is no Java.
        """
        try:
            # Java resolves relative paths in spark.yml. A notebook runs in its own folder.
            with chdir(context.project_path):
                check_and_start(context.config_loader)
        except Exception as exc:
            raise_for_user(exc)
