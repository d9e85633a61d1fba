"""Batches of a table: what travels between the nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql import Window
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.recipes import Recipe

if TYPE_CHECKING:
    from pyspark.sql import DataFrame as SparkDataFrame


@dataclass(frozen=True)
class Batches:
    """The batches of one table, lazily: nothing is computed before it is asked for.

    Attributes:
        names: Of the batches, in order: "000001", "000002", ...
        read: Returns the rows of the named batches; those of a stored table have
            the name of their batch in the column `batch`.
        recipe: What shaped the rows.
        origin: Which table, and which fitted model, the rows come from. Unlike the
            recipe it is nobody's choice, and another one remakes the table.
    """

    names: tuple[str, ...]
    read: Callable[[Sequence[str]], SparkDataFrame]
    recipe: Recipe
    origin: str | None = None

    def map(
        self,
        step: Callable[[SparkDataFrame], SparkDataFrame],
        recipe: Recipe | None = None,
        model: str | None = None,
    ) -> Batches:
        """Return the same batches after `step`, which maps rows to rows.

        Args:
            step: Applied to the rows of one batch or of several at once.
            recipe: Of the result; by default the step shapes no rows.
            model: Digest of the model, fitted to the data, that `step` applies.
        """
        return Batches(
            names=self.names,
            read=lambda names: step(self.read(names)),
            recipe=self.recipe if recipe is None else recipe,
            origin=self.origin if model is None else f"{self.origin} {model}",
        )

    def rows(self) -> SparkDataFrame:
        """Return the rows of all batches, replaced ones among them.

        Raises:
            FruitsError: There are no batches.
        """
        if not self.names:
            raise FruitsError(
                "Found a table without batches; expected at least one. "
                "Run the stages before this one first: `kedro run`."
            )
        return self.read(self.names)


def newest(rows: SparkDataFrame) -> SparkDataFrame:
    """Keep the newest row of each path: the one in the last batch.

    Args:
        rows: Rows with the columns `path` and `batch`.
    """
    last = Window.partitionBy("path").orderBy(F.desc("batch"))
    ranked = rows.withColumn("_rank", F.row_number().over(last))
    return ranked.where("_rank = 1").drop("_rank")


def in_arrow(
    rows: SparkDataFrame, step: Callable[..., Any], schema: pa.Schema
) -> SparkDataFrame:
    """Apply a function of `arrow_steps` to rows, lazily.

    Args:
        rows: Only the columns that the step needs.
        step: With everything but the rows bound.
        schema: Of what the step yields.
    """
    return rows.mapInArrow(step, from_arrow_schema(schema))
