"""Environment variables that configurations refer to."""

from __future__ import annotations

import os

from fruits_pipeline.errors import FruitsError

MEANING = {
    "AWS_REGION": "the region of the bucket",
    "FRUITS_BUCKET": "the name of the bucket with photos and tables",
    "SPARK_MASTER": "the address of the cluster",
}
EXAMPLE = {
    "AWS_REGION": "eu-west-3",
    "FRUITS_BUCKET": "my-fruits",
    "SPARK_MASTER": "spark://host:7077",
}


def variable(name: str) -> str:
    """Return an environment variable; `${variable:NAME}` in a configuration.

    Raises:
        FruitsError: It is not set.
    """
    value = os.environ.get(name)
    if not value:
        raise FruitsError(
            f"Found no environment variable {name}; expected {MEANING[name]} there. "
            f"Set it, as in `{name}={EXAMPLE[name]} kedro run --env <env>`."
        )
    return value
