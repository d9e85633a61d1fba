"""The project's pipelines."""

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline

CHAIN = ("ingest", "preprocess", "featurize", "reduce", "report")


def register_pipelines() -> dict[str, Pipeline]:
    """Find the project's pipelines; the default one goes from ingest to report.

    Returns:
        Pipelines by name: each stage, and the chain as `__default__`.
    """
    pipelines: dict[str, Pipeline] = find_pipelines(raise_errors=True)
    # Kedro finds only the pipelines that the command line asks for.
    chain = (pipelines[name] for name in CHAIN if name in pipelines)
    pipelines["__default__"] = sum(chain, Pipeline([]))
    return pipelines
