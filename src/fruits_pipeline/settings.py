"""Project settings: https://docs.kedro.org/en/stable/configure/."""

from collections.abc import Iterator
from typing import Any

from fruits_pipeline import config_loader

# They write statistics and error messages, which can contain names of photos, into the
# project folder, where `kedro forget` does not erase them.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-viz",)


class _Hooks:
    """The hooks, imported when Kedro creates a session.

    The import takes longer than the checks of `kedro run` that need no session.
    """

    def __iter__(self) -> Iterator[Any]:
        from fruits_pipeline.hooks import registered

        return iter(registered.HOOKS)


HOOKS = _Hooks()

CONFIG_LOADER_CLASS = config_loader.ConfigLoader
CONFIG_LOADER_ARGS = config_loader.CONFIG_LOADER_ARGS
