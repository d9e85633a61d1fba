"""Check `root`, and hold the lease on it during a run that writes below it."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from fruits_pipeline.datasets.delta.cache import CACHE
from fruits_pipeline.hooks.errors import raise_for_user
from fruits_pipeline.hooks.foreign import check_root, outputs_below
from fruits_pipeline.io.lease.held import check_lease, hold_lease, release_lease


class LeaseHooks:
    """Takes the lease before a run checks or writes anything, and releases it at the end."""

    def __init__(self) -> None:
        self.settings: Mapping[str, Any] = {}

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Read the setting `concurrent_run`."""
        self.settings = context.config_loader["globals"]

    @hook_impl(wrapper=True)
    def before_pipeline_run(
        self, run_params: Mapping[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> Generator[None, Any, Any]:
        """Check the root, and take the lease if the pipeline writes below it.

        Raises:
            click.ClickException: The root belongs to another program, another run holds
                the lease, or it cannot be written.
        """
        photo_store: Any = catalog.get("photo_store")
        root = photo_store.root
        try:
            CACHE.start()
            check_root(root, pipeline, catalog)
            # The report of `check` does not count: it can be written during another run.
            written = pipeline.all_outputs() - {"check_report"}
            if outputs_below(root, written, catalog):
                self._take_lease(root, run_params)
        except Exception as exc:
            CACHE.stop()
            raise_for_user(exc)
        try:
            return (yield)
        except BaseException:
            release_lease()
            raise

    def _take_lease(self, root: str, run_params: Mapping[str, Any]) -> None:
        lease = hold_lease(root, _title(run_params), wait=self._waits(run_params))
        if lease.has_waited:
            CACHE.start()  # the other run may have written the logs of its tables again

    @hook_impl(tryfirst=True)
    def before_dataset_saved(self) -> None:
        """Raise if the lease is lost.

        Raises:
            FruitsError: Another run may have taken over the lease.
        """
        check_lease()

    @hook_impl(wrapper=True)
    def after_pipeline_run(self) -> Generator[None, Any, Any]:
        """Release the lease after all other hooks."""
        try:
            return (yield)
        finally:
            release_lease()

    @hook_impl(wrapper=True)
    def on_pipeline_error(self) -> Generator[None, Any, Any]:
        """Release the lease after all other hooks."""
        try:
            return (yield)
        finally:
            release_lease()

    def _waits(self, run_params: Mapping[str, Any]) -> bool:
        settings = {**self.settings, **(run_params.get("runtime_params") or {})}
        return settings.get("concurrent_run") == "wait"


def _title(run_params: Mapping[str, Any]) -> str:
    """Return the command of a run, without parameters."""
    names = ",".join(run_params.get("pipeline_names") or ())
    return f"kedro run --pipelines {names}" if names else "kedro run"
