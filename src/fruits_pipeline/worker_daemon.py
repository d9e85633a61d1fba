"""Spark's daemon of Python workers, which has imported what they need before it forks.

A worker then starts in milliseconds, and all of them share one copy of it in memory.
`spark.python.daemon.module` in `spark.yml` names this module.
"""

import gc

import ai_edge_litert.interpreter  # noqa: F401
import pandas  # noqa: F401 - Spark's own worker asks for it
import pyspark.worker  # noqa: F401
from pyspark.daemon import manager

import fruits_pipeline.arrow_steps  # noqa: F401

if __name__ == "__main__":
    # Spark collects garbage after every task: 20 to 40 ms over what is imported, which is
    # none. Looked at, it would also be copied into every worker.
    gc.freeze()
    manager()
