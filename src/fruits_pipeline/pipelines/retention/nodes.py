"""Request to remove the content of old photos."""

from __future__ import annotations

from fruits_pipeline.parameters import RetentionParameters
from fruits_pipeline.spark.batches import Batches


def request_removal(
    parameters: RetentionParameters, **tables: Batches
) -> RetentionParameters:
    """Return the age from which content is removed, when the tables are complete.

    Args:
        parameters: Parameters of the stage.
        **tables: The tables that are complete before content is removed.
    """
    del tables
    return parameters
