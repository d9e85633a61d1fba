"""Spark's daemon of Python workers, which imports the modules of the workers in advance.

Workers are forked from the daemon. So they start in milliseconds, and share the memory of
the imported modules. Set as `spark.python.daemon.module` in `spark.yml`.
"""

import gc
import os
from collections.abc import Callable
from typing import ParamSpec

import ai_edge_litert.interpreter  # noqa: F401
import pandas  # noqa: F401 - imported by pyspark.worker when it runs a task
import pyspark.worker  # noqa: F401
from pyspark import daemon

import fruits_pipeline.spark.arrow  # noqa: F401
from fruits_pipeline import logs
from fruits_pipeline.imaging import limits

Arguments = ParamSpec("Arguments")


def ignore_closed_socket(worker: Callable[Arguments, int]) -> Callable[Arguments, int]:
    """Return a worker that exits without a traceback when Spark has closed its socket.

    Spark closes the sockets of workers that were idle for a minute.

    Args:
        worker: Runs tasks that it receives through a socket; returns an exit status.
    """

    def quiet_worker(*args: Arguments.args, **kwargs: Arguments.kwargs) -> int:
        try:
            return worker(*args, **kwargs)
        except BrokenPipeError:
            return 1

    return quiet_worker


def set_oom_score() -> None:
    """Make the kernel kill a worker before the JVM if memory is exhausted."""
    limits.set_oom_score(limits.WORKER_SCORE)


if __name__ == "__main__":
    limits.enable_time_limits()
    if os.environ.get(logs.VARIABLE) == "json":
        logs.log_as_json()
    os.register_at_fork(after_in_child=set_oom_score)
    daemon.worker = ignore_closed_socket(daemon.worker)
    # Spark collects garbage after every task, which would take 20 to 40 ms for the objects
    # of the imported modules, and copy their memory pages into every worker.
    gc.freeze()
    daemon.manager()
