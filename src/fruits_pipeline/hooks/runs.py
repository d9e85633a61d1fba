"""Begin a run: its id, the format of its log, and its parameters."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl

from fruits_pipeline.logs import log_format, use_format
from fruits_pipeline.redaction import redact
from fruits_pipeline.run_id import begin_run, run_id

logger = logging.getLogger(__name__)


class RunHooks:
    """Begins a run before all other hooks."""

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Begin a run, and set the format of the log."""
        begin_run()
        config = context.config_loader
        use_format(log_format(config["globals"], config["parameters"]))

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: Mapping[str, Any]) -> None:
        """Log the parameters."""
        given = given_parameters(run_params)
        shown = " ".join(f"{name}={value}" for name, value in given.items())
        logger.info("Run %s: %s", run_id(), shown)


def given_parameters(run_params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the environment of a run, and what `--params` sets, without credentials.

    Args:
        run_params: Description of the run by Kedro.

    Returns:
        The values by dotted name; `env` is the environment.
    """
    given = {"env": run_params.get("env") or "local"}
    if pipelines := {*(run_params.get("pipeline_names") or ())} - {"__default__"}:
        given["pipelines"] = ",".join(sorted(pipelines))
    return given | _flatten(run_params.get("runtime_params") or {})


def _flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values by dotted name, without credentials."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= _flatten(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = _redact_value(f"{prefix}{name}", value)
    return found


def _redact_value(name: str, value: Any) -> Any:
    """Return a value; as text without credentials if it contains some."""
    text = f"{name}={value}"
    redacted = redact(text)
    return value if redacted == text else redacted.removeprefix(f"{name}=")
