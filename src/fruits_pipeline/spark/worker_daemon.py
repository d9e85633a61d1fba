"""Spark's daemon of Python workers, which has imported what they need before it forks.

A worker then starts in milliseconds, and all of them share one copy of it in memory.
`spark.python.daemon.module` in `spark.yml` names this module.
"""

import gc
import socket

import ai_edge_litert.interpreter  # noqa: F401
import pandas  # noqa: F401 - Spark's own worker asks for it
import pyspark.worker  # noqa: F401
from pyspark import daemon

import fruits_pipeline.spark.arrow  # noqa: F401

_serve = daemon.worker


def serve(sock: socket.socket, authenticated: bool) -> int:
    """Serve a task as Spark does, but say nothing where Spark has closed the socket.

    It closes those of workers that were idle for a minute, as they are while a backbone is
    trained; each of them would print a traceback.

    Args:
        sock: To Spark.
        authenticated: Whether Spark knows already who is there.

    Returns:
        Not 0 for a worker that is to end.
    """
    try:
        return int(_serve(sock, authenticated))
    except BrokenPipeError:
        return 1


if __name__ == "__main__":
    daemon.worker = serve
    # Spark collects garbage after every task: 20 to 40 ms over what is imported, which is
    # none. Looked at, it would also be copied into every worker.
    gc.freeze()
    daemon.manager()
