"""Load the configuration, and report errors in it in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from kedro.config import OmegaConfigLoader
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from fruits_pipeline.spark.error_messages import user_message


class ConfigLoader(OmegaConfigLoader):
    """Kedro's loader of `conf`, with messages instead of tracebacks.

    Kedro loads `globals.yml` before it calls any hook, so hooks cannot translate errors.
    """

    def __init__(
        self, conf_source: str, env: str | None = None, **options: Any
    ) -> None:
        folder = Path(conf_source)
        if env and folder.is_dir() and not (folder / env).is_dir():
            names = sorted(f.name for f in folder.iterdir() if f.is_dir())
            raise click.ClickException(
                f"Found no environment {env} in {folder}; expected one of "
                f"{', '.join(names)}. Change --env, or KEDRO_ENV if it is not given."
            )
        super().__init__(conf_source, env, **options)

    def __getitem__(self, key: str) -> dict[str, Any]:
        """Return the configuration of a kind, such as `catalog`.

        Raises:
            click.ClickException: An environment variable is missing, or a file is wrong.
        """
        try:
            return super().__getitem__(key)
        except (OmegaConfBaseException, YAMLError, ValueError) as exc:
            raise click.ClickException(user_message(exc) or str(exc)) from exc
