"""Batches of a table, and node functions that take and return them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from pyspark.sql import DataFrame

Batches = Mapping[str, Callable[[], DataFrame]]
"""The batches of a table: functions that return the rows of a batch lazily, by name."""


def per_batch(function: Callable[..., DataFrame]) -> Callable[..., Batches]:
    """Convert a function of a DataFrame to a node function of batches.

    Args:
        function: Takes the rows of one batch, and any other inputs of the node.

    Returns:
        A node function of batches; `function` runs when a batch is loaded.
    """

    @wraps(function)
    def node_function(batches: Batches, *inputs: Any) -> Batches:
        def apply_to(load: Callable[[], DataFrame]) -> Callable[[], DataFrame]:
            return lambda: function(load(), *inputs)

        return {name: apply_to(load) for name, load in batches.items()}

    return node_function


def pass_if(check: Callable[..., None]) -> Callable[..., Batches]:
    """Convert a check to a node function that returns its first input unchanged.

    Args:
        check: Takes the other inputs of the node; raises to stop the run.
    """

    def node_function(batches: Batches, *inputs: Any) -> Batches:
        check(*inputs)
        return batches

    # Not `wraps`: Kedro would compare the inputs with the signature of `check`.
    node_function.__name__, node_function.__doc__ = check.__name__, check.__doc__
    return node_function
