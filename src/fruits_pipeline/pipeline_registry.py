"""Pipelines of the project."""

import re
from pkgutil import iter_modules

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline

from fruits_pipeline import pipelines as stages
from fruits_pipeline.exit_codes import UserError
from fruits_pipeline.viz import preview_tables

DEFAULT_STAGES = ("ingest", "preprocess", "featurize", "reduce", "retention", "report")


def register_pipelines() -> dict[str, Pipeline]:
    """Return a pipeline for each stage, and the default pipeline as `__default__`.

    Raises:
        UserError: A requested pipeline does not exist.
    """
    preview_tables()
    try:
        pipelines: dict[str, Pipeline] = find_pipelines(raise_errors=True)
    except ImportError as exc:
        if exc.__cause__:  # the import of an existing pipeline has failed
            raise
        raise UserError(_unknown_message(str(exc))) from exc
    # With `--pipelines`, Kedro finds only the pipelines that are named there.
    found = (pipelines[name] for name in DEFAULT_STAGES if name in pipelines)
    pipelines["__default__"] = sum(found, Pipeline([]))
    return pipelines


def pipeline_names() -> list[str]:
    """Return the names of all pipelines, without importing them."""
    return sorted(["__default__", *(m.name for m in iter_modules(stages.__path__))])


def _unknown_message(text: str) -> str:
    """Return the message for an error of Kedro that contains the name of a module."""
    name = re.search(r"pipelines\.([^']+)'", text)
    return (
        f"Found no pipeline {name[1] if name else text}; expected one of "
        f"{', '.join(pipeline_names())}"
    )
