"""Adapt Kedro-Viz 12.5 to this project."""

from __future__ import annotations

import sys
import warnings
from typing import Any

_NODES = "kedro_viz.models.flowchart.nodes"

_WARNING = "ORJSONResponse is deprecated"
"""Start of a warning of FastAPI that Kedro-Viz causes."""


def check_options() -> None:
    """Let `kedro viz run` check its options, if Kedro-Viz is installed."""
    if module := sys.modules.get("kedro_viz.launchers.cli.main"):
        module.viz.lazy_subcommands["run"] = "fruits_pipeline.viz_command.run"


def hide_warning() -> None:
    """Hide a warning of Kedro-Viz in this process, and in Python processes it starts."""
    warnings.filterwarnings("ignore", _WARNING)
    sys.warnoptions.append(f"ignore:{_WARNING}")


def preview_tables() -> None:
    """Let Kedro-Viz preview tables, if it runs in this process.

    Kedro-Viz previews no dataset whose name contains `@`. Here, all views of a table
    become one dataset without `@`, which is previewed like others.
    """
    module = sys.modules.get(_NODES)
    if module is None:
        return
    create = module.GraphNode.create_data_node

    def create_without_view(*, dataset_name: str, **other: Any) -> Any:
        return create(dataset_name=dataset_name.partition("@")[0], **other)

    module.GraphNode.create_data_node = create_without_view
