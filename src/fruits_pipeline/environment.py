"""Environment variables in configuration files: the resolver `${variable:NAME}`."""

from __future__ import annotations

import os

from fruits_pipeline.errors import FruitsError

DESCRIPTIONS = {
    "AWS_REGION": "the region of the bucket",
    "FRUITS_BUCKET": "the name of the bucket with photos and tables",
    "SPARK_MASTER": "the address of the cluster",
}
EXAMPLES = {
    "AWS_REGION": "eu-west-3",
    "FRUITS_BUCKET": "my-fruits",
    "SPARK_MASTER": "spark://host:7077",
}


def read_variable(name: str) -> str:
    """Return the value of an environment variable.

    Args:
        name: A key of `DESCRIPTIONS`.

    Raises:
        FruitsError: The variable is not set or empty.
    """
    value = os.environ.get(name)
    if not value:
        raise FruitsError(
            f"Found no environment variable {name}; expected {DESCRIPTIONS[name]} there. "
            f"Set it, as in `{name}={EXAMPLES[name]} kedro run --env <env>`."
        )
    return value
