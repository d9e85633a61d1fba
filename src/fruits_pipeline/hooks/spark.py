"""Start Spark when Kedro has its configuration."""

from __future__ import annotations

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl

from fruits_pipeline.hooks.errors import raise_in_words
from fruits_pipeline.spark.session import prepare


class SparkHooks:
    """Checks the parameters and starts Spark when Kedro has its context."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Start the session from the environment's `spark.yml`.

        Raises:
            click.ClickException: A parameter is wrong, or there is no Java.
        """
        try:
            prepare(context.config_loader)
        except Exception as exc:
            raise_in_words(exc)
