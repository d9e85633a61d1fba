"""Load the configuration, and report errors in it in one line."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

from kedro.config import OmegaConfigLoader
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from fruits_pipeline.environment import read_variable
from fruits_pipeline.exit_codes import UserError
from fruits_pipeline.io.files import is_local
from fruits_pipeline.locations import read_location
from fruits_pipeline.shipped_files import shipped_path
from fruits_pipeline.spark.jars import jars_for_s3

CONFIG_LOADER_ARGS: dict[str, Any] = {
    "base_env": "base",
    "default_run_env": "local",
    "config_patterns": {"spark": ["spark*", "spark*/**"]},
    "custom_resolvers": {
        "variable": read_variable,
        "location": read_location,
        "shipped": shipped_path,
        "jars_for_s3": jars_for_s3,
    },
}
"""Arguments of `ConfigLoader` in this project."""


class ConfigLoader(OmegaConfigLoader):
    """Kedro's loader of `conf`, with messages instead of tracebacks.

    Kedro loads `globals.yml` before it calls any hook, so hooks cannot translate errors.
    """

    def __init__(
        self, conf_source: str, env: str | None = None, **options: Any
    ) -> None:
        _check_folder(conf_source, env, str(options.get("base_env", "base")))
        self._loaded: dict[str, dict[str, Any]] = {}
        super().__init__(conf_source, env, **options)

    def __getitem__(self, key: str) -> dict[str, Any]:
        """Return the configuration of a kind, such as `catalog`.

        Raises:
            UserError: An environment variable is missing, or a file is wrong.
        """
        if key not in self._loaded:
            self._loaded[key] = self._load(key)
        return deepcopy(self._loaded[key])  # Kedro changes it

    def _load(self, key: str) -> dict[str, Any]:
        try:
            return super().__getitem__(key)
        except (OmegaConfBaseException, YAMLError, ValueError) as exc:
            # Imported here because it imports PySpark, which takes long.
            from fruits_pipeline.spark.error_messages import user_message

            raise UserError(user_message(exc) or str(exc)) from exc


def _check_folder(source: str, env: str | None, base_env: str) -> None:
    """Raise if a folder, which is not an archive, lacks the chosen environment."""
    folder = Path(source)
    if folder.is_file() or not is_local(source):
        return
    if not folder.is_dir():
        raise UserError(
            f"Found no configuration folder {folder}; expected the folder `conf` of this "
            "project. Run the command in the project folder, or set --conf-source."
        )
    names = sorted(f.name for f in folder.iterdir() if f.is_dir())
    if base_env not in names:
        raise UserError(
            f"Found no folder {base_env} in {folder}; expected a copy of the folder "
            "`conf` of this project. Change --conf-source."
        )
    if env and env not in names:
        raise UserError(
            f"Found no environment {env} in {folder}; expected one of "
            f"{', '.join(names)}. Change --env, or KEDRO_ENV if it is not given."
        )
