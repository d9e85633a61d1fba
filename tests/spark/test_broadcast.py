import gc
import weakref
from functools import partial
from typing import Any

import pytest
from factories import frame, key_of
from frame_helpers import APPLE, KEY, fill_column
from pyspark import SparkContext
from pyspark.sql import DataFrame

from fruits_pipeline.spark.batches import per_batch
from fruits_pipeline.spark.broadcast import broadcast
from fruits_pipeline.spark.frames import map_arrow

pytestmark = pytest.mark.usefixtures("spark")


class Model:
    """A model that supports weak references."""


def test_model_is_broadcast_once_for_all_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values: list[object] = []
    original = SparkContext.broadcast

    def record(self: SparkContext, value: object) -> Any:
        values.append(value)
        return original(self, value)

    monkeypatch.setattr(SparkContext, "broadcast", record)

    def label_by_model(rows: DataFrame, model: dict[str, str]) -> DataFrame:
        variable = broadcast(model)
        label = partial(
            fill_column, column="label", value=lambda: variable.value["label"]
        )
        return map_arrow(rows, label, KEY)

    model = {"label": "from the model"}
    load = partial(frame, [key_of(APPLE)], KEY)
    batches = per_batch(label_by_model)({"000001": load, "000002": load}, model)
    labels = [row.label for load in batches.values() for row in load().collect()]
    assert labels == ["from the model", "from the model"]
    assert [value is model for value in values] == [True]


def test_equal_but_different_model_is_broadcast_again() -> None:
    first, second = {"a": 1}, {"a": 1}
    assert broadcast(first) is broadcast(first)
    assert broadcast(first) is not broadcast(second)


def test_only_the_newest_model_stays_in_memory() -> None:
    model = Model()
    reference = weakref.ref(model)
    broadcast(model)
    broadcast("another")
    del model
    gc.collect()
    assert reference() is None
