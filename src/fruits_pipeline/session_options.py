"""Options of a command, and the datasets that it uses without Spark."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.logging import RichHandler

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.exit_codes import UserError
from fruits_pipeline.io.files import is_local
from fruits_pipeline.logs import log_format, use_format
from fruits_pipeline.redaction import printable, redact


@dataclass(frozen=True)
class Options:
    """Options that select the settings of a command, as those of `kedro run`."""

    env: str | None = None
    conf_source: str | None = None
    params: dict[str, Any] = field(default_factory=dict)

    def session(self) -> Any:
        """Return a new Kedro session, a context manager."""
        from kedro.framework.session import KedroSession

        return KedroSession.create(
            env=self.env, conf_source=self.conf_source, runtime_params=self.params
        )

    def check_parameters(self) -> None:
        """Check parameters and settings, without the slow imports of a session.

        Raises:
            UserError: The configuration is invalid.
        """
        from kedro.utils import find_kedro_project

        from fruits_pipeline.config_loader import CONFIG_LOADER_ARGS, ConfigLoader
        from fruits_pipeline.parameter_validation import validate_parameters

        folder = find_kedro_project(Path.cwd()) or Path.cwd()
        loader = ConfigLoader(
            self.conf_source or str(folder / "conf"),
            self.env or os.environ.get("KEDRO_ENV"),
            runtime_params=self.params,
            **CONFIG_LOADER_ARGS,
        )
        use_format(log_format(loader["globals"], self.params))
        try:
            validate_parameters(loader["parameters"], loader["globals"])
        except FruitsError as exc:
            raise UserError(printable(redact(str(exc)))) from exc

    def datasets(self, *names: str) -> list[Any]:
        """Check the configuration, and return datasets of the catalog.

        Unlike the catalog of Kedro, this does not load all pipelines, and is fast.

        Raises:
            UserError: The configuration is invalid.
        """
        from kedro.io import AbstractDataset

        log_to_stderr()
        with self.session() as session:
            context = session.load_context()
            entries = context.config_loader["catalog"]
        folder = context.project_path
        return [
            AbstractDataset.from_config(name, _absolute(entries[name], folder))
            for name in names
        ]


def log_to_stderr() -> None:
    """Write the log to stderr, so that stdout contains results only."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, RichHandler):
            handler.console.stderr = True


def _absolute(entry: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return a catalog entry whose local path is relative to a folder."""
    path = entry["filepath"]
    return entry | {"filepath": str(folder / path) if is_local(path) else path}
