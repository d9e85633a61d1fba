"""Environment variables in configuration files: the resolver `${variable:NAME}`."""

from __future__ import annotations

import os

from fruits_pipeline.errors import FruitsError

VARIABLES = {
    "AWS_REGION": ("the region of the bucket", "eu-west-3"),
    "FRUITS_BUCKET": ("the name of the bucket with photos and tables", "my-fruits"),
    "SPARK_MASTER": ("the address of the cluster", "spark://host:7077"),
}
"""Description and example of each variable."""

SUBMIT_VARIABLE = "PYSPARK_GATEWAY_PORT"
"""Variable that spark-submit sets for the Python program that it starts."""


def read_variable(name: str) -> str:
    """Return the value of an environment variable.

    Args:
        name: A key of `VARIABLES`.

    Raises:
        FruitsError: The variable is not set or empty.
    """
    value = os.environ.get(name)
    if not value and name == "SPARK_MASTER" and SUBMIT_VARIABLE in os.environ:
        return ""  # spark-submit has set the master
    if not value:
        description, example = VARIABLES[name]
        raise FruitsError(
            f"Found no environment variable {name}; expected {description} there. "
            f"Set it, as in `{name}={example} kedro run --env <env>`."
        )
    return value
