"""Run pipelines once or more in this process, and time the last run.

python -m benchmarks.programs.in_process PIPELINES PHOTOS ROOT [PHOTOS ROOT]...
"""

import json
import sys
import time

import click
import psutil
from kedro.framework.project import settings
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from benchmarks.processes import PROJECT
from benchmarks.runs import STAGES
from fruits_pipeline.hooks.summary import SummaryHooks


def main() -> None:
    """Print the result of the last run as JSON."""
    pipelines, *places = sys.argv[1:]
    bootstrap_project(PROJECT)
    for photos, root in zip(places[::2], places[1::2], strict=True):
        params = {"photos": photos, "root": root}
        with KedroSession.create(PROJECT, runtime_params=params) as session:
            session.run(pipeline_names=pipelines.split(","))
    (hook,) = (hook for hook in settings.HOOKS if isinstance(hook, SummaryHooks))
    age = time.time() - psutil.Process().create_time()
    result = {
        "photos": hook.tables["photos"].saved.photos,
        "seconds": sum(hook.seconds.get(stage, 0.0) for stage in STAGES),
        "start_seconds": age - sum(hook.seconds.values()),
        "stages": hook.seconds,
    }
    click.echo(json.dumps(result))


if __name__ == "__main__":
    main()
