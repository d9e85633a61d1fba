from functools import partial
from typing import Any

import pytest
from factories import frame, key_of
from frame_helpers import APPLE, KEY, uppercase_labels
from pyspark.sql import DataFrame

from fruits_pipeline.spark.batches import Batches, pass_if, per_batch
from fruits_pipeline.spark.frames import map_arrow
from fruits_pipeline.spark.parts import Step


@pytest.mark.usefixtures("spark")
def test_per_batch_applies_the_function_when_a_batch_is_loaded() -> None:
    calls: list[tuple[str, str]] = []

    def load(name: str) -> DataFrame:
        calls.append(("load", name))
        return frame([key_of(APPLE)], KEY, batch=name)

    def change_labels(rows: DataFrame, step: Step) -> DataFrame:
        calls.append(("map", rows.first().batch))
        return map_arrow(rows.drop("batch"), step, KEY)

    batches = {name: partial(load, name) for name in ("000001", "000002")}
    changed = per_batch(change_labels)(batches, uppercase_labels)
    assert (calls, [*changed]) == ([], ["000001", "000002"])
    (row,) = changed["000002"]().collect()
    assert row.label == "APPLE"
    assert calls == [("load", "000002"), ("map", "000002")]
    assert per_batch(change_labels).__name__ == "change_labels"


def test_pass_if_returns_its_first_input_if_the_check_passes() -> None:
    calls: list[tuple[Any, ...]] = []

    def check(rows: str, limit: int) -> None:
        """Check."""
        calls.append((rows, limit))
        if limit < 0:
            raise ValueError("refused")

    batches: Batches = {}
    node_function = pass_if(check)
    assert node_function(batches, "rows", 1) is batches
    assert calls == [("rows", 1)]
    assert (node_function.__name__, node_function.__doc__) == ("check", "Check.")
    with pytest.raises(ValueError, match="refused"):
        node_function(batches, "rows", -1)
