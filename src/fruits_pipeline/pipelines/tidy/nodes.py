"""Plan which batches to combine, and report what was done."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from fruits_pipeline.datasets import FittedPca, TidyPlan, TidyResult
from fruits_pipeline.parameters import IngestParameters, TidyParameters

MIB = 1024 * 1024

logger = logging.getLogger(__name__)


def plan_tidy(
    photo_counts: pd.DataFrame,
    new_batches: Sequence[str],
    existing_pca: FittedPca | None,
    ingest: IngestParameters,
    parameters: TidyParameters,
) -> TidyPlan:
    """Choose the batches to combine: consecutive ones with few photos.

    A combined batch contains either only photos that the PCA was fitted to or none of
    them, and either only photos that the last run has added or none. So the next run
    knows what is new.

    Args:
        photo_counts: `photos` of each batch of the table `photos`.
        new_batches: Batches that the last run with new photos has added.
        existing_pca: The PCA; None if there is none.
        ingest: Parameters of the stage ingest: combined batches are as large as its own.
        parameters: Parameters of the stage.
    """
    fitted = {*existing_pca.batches} if existing_pca else set()
    new = {*new_batches}
    sizes = dict(zip(photo_counts["batch"], photo_counts["photos"], strict=True))
    kinds = {name: (name in fitted, name in new) for name in sizes}
    groups = {
        names[0]: names
        for names in group_batches(sizes, kinds, ingest.photos_per_batch)
        if len(names) > 1
    }
    count = sum(map(len, groups.values()))
    logger.info("Combining %d of %d batches into %d", count, len(sizes), len(groups))
    return TidyPlan(groups, parameters.keep_days)


def group_batches(
    sizes: Mapping[str, int], kinds: Mapping[str, Any], limit: int
) -> Iterator[list[str]]:
    """Yield consecutive batches of one kind that are small enough to be combined.

    A batch of at least half the limit is not combined, so that a row is not written again
    and again, and no group could be combined with the next one.

    Args:
        sizes: Number of photos of each batch.
        kinds: Batches of different kinds are not combined.
        limit: Maximum number of photos of a combined batch.
    """
    group: list[str] = []
    total = 0
    for name in sorted(sizes, key=int):
        is_small = 2 * sizes[name] < limit
        fits = total + sizes[name] <= limit
        if group and not (is_small and fits and kinds[name] == kinds[group[0]]):
            yield group
            group, total = [], 0
        if is_small:
            group.append(name)
            total += int(sizes[name])
    if group:
        yield group


def tidy_table(plan: TidyPlan, upstream: TidyResult | None = None) -> TidyPlan:
    """Return the plan, which is saved after that of the upstream table."""
    return plan


def report_tidy(*results: TidyResult) -> None:
    """Log what was done with each table."""
    for result in results:
        kept = f"; keeps {result.kept_bytes / MIB:.1f} MiB for other readers"
        logger.info(
            "%s: %d batches instead of %d, %d files instead of %d; freed %.1f MiB%s",
            result.table,
            *reversed(result.batches),
            *reversed(result.files),
            result.freed_bytes / MIB,
            kept * bool(result.kept_bytes),
        )
    freed = sum(result.freed_bytes for result in results)
    logger.info("Freed %.1f MiB in all tables", freed / MIB)
