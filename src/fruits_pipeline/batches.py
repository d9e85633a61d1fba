"""Batches of a table: what travels between the nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema

from fruits_pipeline import parts
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.parts import Part, Step
from fruits_pipeline.recipes import Recipe

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame as SparkDataFrame


@dataclass(frozen=True)
class Batches:
    """The batches of one table, lazily: nothing is computed before it is asked for.

    Attributes:
        names: Of the batches, in order: "000001", "000002", ...
        parts: Returns the parts of one batch, each the work of one Spark task.
        read: Returns the rows of the named batches as Spark's, with the name of their
            batch in the column `batch`, and the number of their part in `part`.
        recipe: What shaped the rows.
        origin: Which table, and which fitted model, the rows come from. Unlike the
            recipe it is nobody's choice, and another one remakes the table.
    """

    names: tuple[str, ...]
    parts: Callable[[str], Sequence[Part]]
    read: Callable[[Sequence[str]], SparkDataFrame]
    recipe: Recipe
    origin: str | None = None

    def map(
        self,
        step: Step,
        schema: pa.Schema,
        recipe: Recipe | None = None,
        model: str | None = None,
    ) -> Batches:
        """Return the same batches after `step`, which maps rows to rows.

        Args:
            step: A function of `arrow_steps`, with everything but the rows bound.
            schema: Of what the step yields.
            recipe: Of the result; by default the step shapes no rows.
            model: Digest of the model, fitted to the data, that `step` applies.
        """
        return computed(
            self.names,
            lambda name: [parts.then(part, step) for part in self.parts(name)],
            schema,
            recipe=self.recipe if recipe is None else recipe,
            origin=self.origin if model is None else f"{self.origin} {model}",
        )

    def whole(self) -> Batches:
        """Return the same batches, each of one part, for steps that need all rows."""
        return replace(self, parts=lambda name: [parts.joined(self.parts(name))])

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


def computed(
    names: Sequence[str],
    parts_of: Callable[[str], Sequence[Part]],
    schema: pa.Schema,
    recipe: Recipe,
    origin: str | None = None,
) -> Batches:
    """Return batches that Spark's workers compute, part by part, when they are read.

    Args:
        names: Of the batches.
        parts_of: Returns the parts of one batch.
        schema: Of their rows.
        recipe: What shaped them.
        origin: Where they come from.
    """

    def read(chosen: Sequence[str]) -> SparkDataFrame:
        found = [
            parts.marked(part, name, number)
            for name in chosen
            for number, part in enumerate(parts_of(name))
        ]
        return in_spark(found, pa.schema([*schema, *parts.MARKS]))

    return Batches(tuple(names), parts_of, read, recipe, origin)


def in_spark(found: Sequence[Part], schema: pa.Schema) -> SparkDataFrame:
    """Return the rows of parts, lazily: a Spark task for each of them.

    Args:
        found: The parts.
        schema: Of their rows.
    """
    spark = SparkSession.builder.getOrCreate()
    numbers = spark.range(0, len(found), 1, max(1, len(found)))
    return in_arrow(numbers, partial(parts.run, parts=tuple(found)), schema)


def in_arrow(rows: SparkDataFrame, step: Step, schema: pa.Schema) -> SparkDataFrame:
    """Apply a function of `arrow_steps` to Spark's rows, lazily.

    Args:
        rows: Only the columns that the step needs.
        step: With everything but the rows bound.
        schema: Of what the step yields.
    """
    return rows.mapInArrow(step, from_arrow_schema(schema))


def versions(images: Batches) -> SparkDataFrame:
    """Return every row of the table `images`, which has one for each photo, but pixels.

    The column `last` names the batch with the newest row of its path. Several nodes ask
    for this in a run, so Spark keeps it until the next one begins.

    Args:
        images: The table `images`.
    """
    rows = images.rows().drop("image")
    last = F.max("batch").over(Window.partitionBy("path"))
    return rows.withColumn("last", last).persist()


def newest(images: Batches) -> SparkDataFrame:
    """Return the newest row of every photo, without its pixels.

    Args:
        images: The table `images`.
    """
    return versions(images).where("batch = last").drop("last")


def labelled(images: Batches) -> SparkDataFrame:
    """Return the newest row of every photo that can be decoded and has a label.

    Args:
        images: The table `images`.
    """
    return newest(images).where("label is not null and error is null")


def in_splits(names: Sequence[str]) -> Column:
    """Say whether a photo's split is one of some, in any case; null without a split."""
    return F.lower("split").isin([name.lower() for name in names])


def with_bytes(table: Batches, chosen: pd.DataFrame, column: str) -> pd.DataFrame:
    """Add a heavy column to a few rows, reading only the parts that they are in.

    Args:
        table: It has the column.
        chosen: Rows of it, with `path`, `batch` and `part`.
        column: The heavy one.
    """
    found: dict[str, bytes] = {}
    for _, rows in chosen.groupby(["batch", "part"]):
        place = rows.iloc[0]
        for some in table.parts(place["batch"])[place["part"]]():
            kept = some.filter(pc.is_in(some["path"], pa.array(rows["path"])))
            found |= zip(
                kept["path"].to_pylist(), kept[column].to_pylist(), strict=True
            )
    return chosen.assign(**{column: chosen["path"].map(found)})
