"""Find near duplicates, and photos that leak from one split to another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from fruits_pipeline.models.neighbours import photo_groups

MIN_COMPONENTS = 4
"""With fewer components, photos that differ also have similar directions."""

_BLOCK = 256  # rows per product: at most 25,000 x 256 pairs of 12 bytes
_SPARE = 4  # times the limit are kept before the pairs are sorted


@dataclass(frozen=True)
class NearDuplicates:
    """Pairs of similar photos.

    Attributes:
        pairs: The listed pairs: `path, other_path, similarity, label, other_label, split,
            other_split, across_splits`, the most similar first.
        count: Number of all pairs.
        across_splits: Number of all pairs of two splits.
        leaks: Whether each photo has a near duplicate in the training photos and is not
            one of them, `bool [n]`.
    """

    pairs: pd.DataFrame
    count: int
    across_splits: int
    leaks: np.ndarray


def find_near_duplicates(
    photos: pd.DataFrame,
    vectors: np.ndarray,
    min_similarity: tuple[float, float],
    limit: int,
    training: np.ndarray,
) -> NearDuplicates:
    """Find pairs of similar photos. Frames of one series in one split are no pairs.

    Args:
        photos: `path, label, split, series` of each photo.
        vectors: Unit vectors, `float32 [n, d]`.
        min_similarity: Smallest similarity of a pair in one split, and of a pair of two
            splits.
        limit: Maximum number of listed pairs of two splits, and of other pairs.
        training: Whether each photo is a training photo, `bool [n]`.
    """
    series = photo_groups(photos, ["label", "series", "split"])
    splits, _ = pd.factorize(photos["split"])
    counts, leaks = np.zeros(2, int), np.zeros(len(photos), bool)
    kept = _Pairs(limit), _Pairs(limit)
    for found in _similar_pairs(vectors, min(min_similarity)):
        pairs = found[series[found["first"]] != series[found["second"]]]
        differs = _differ(pairs, splits)
        is_near = pairs["similarity"] >= np.take(min_similarity, differs)
        pairs, differs = pairs[is_near], differs[is_near]
        for across, is_kind in enumerate((~differs, differs)):
            counts[across] += np.count_nonzero(is_kind)
            kept[across].add(pairs[is_kind])
        for one, other in (("first", "second"), ("second", "first")):
            leaks[pairs[one][training[pairs[other]]]] = True
    listed = np.concatenate([kept[0].best(), kept[1].best()])
    leaks &= ~training
    table = _pair_table(photos, listed, splits)
    return NearDuplicates(table, int(counts.sum()), int(counts[1]), leaks)


_PAIR = np.dtype(
    [("first", np.int32), ("second", np.int32), ("similarity", np.float32)]
)


def _similar_pairs(vectors: np.ndarray, min_similarity: float) -> Iterator[np.ndarray]:
    """Yield the pairs of each block of photos, structured arrays of `_PAIR`."""
    if vectors.shape[1:] < (MIN_COMPONENTS,):
        return
    for start in range(0, len(vectors), _BLOCK):
        with threadpool_limits(1):  # threads wait for each other if other processes run
            products = vectors[start : start + _BLOCK] @ vectors[start:].T
        is_similar = products >= min_similarity
        diagonal = is_similar[:, : len(products)]
        diagonal[:] = np.triu(diagonal, 1)  # each pair once
        # `np.nonzero` of two dimensions takes longer than the products.
        rows, columns = np.divmod(np.flatnonzero(is_similar), is_similar.shape[1])
        pairs = np.empty(len(rows), _PAIR)
        pairs["first"], pairs["second"] = rows + start, columns + start
        pairs["similarity"] = products[rows, columns]
        yield pairs


class _Pairs:
    """The most similar pairs of all pairs that were added.

    Args:
        limit: Maximum number of pairs to keep.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: list[np.ndarray] = [np.empty(0, _PAIR)]

    def add(self, pairs: np.ndarray) -> None:
        """Add pairs, and drop the least similar ones if there are too many."""
        self._kept.append(pairs)
        if sum(map(len, self._kept)) > _SPARE * self._limit:
            self._kept = [self.best()]

    def best(self) -> np.ndarray:
        """Return the most similar pairs, in descending order."""
        pairs = np.concatenate(self._kept)
        order = np.argsort(-pairs["similarity"], kind="stable")
        best: np.ndarray = pairs[order[: self._limit]]
        return best


def _pair_table(
    photos: pd.DataFrame, pairs: np.ndarray, splits: np.ndarray
) -> pd.DataFrame:
    pairs = pairs[np.argsort(-pairs["similarity"], kind="stable")]
    one, other = (
        photos.iloc[pairs[name]].reset_index() for name in ("first", "second")
    )
    return pd.DataFrame(
        {
            "path": one["path"],
            "other_path": other["path"],
            "similarity": pairs["similarity"],
            "label": one["label"],
            "other_label": other["label"],
            "split": one["split"],
            "other_split": other["split"],
            "across_splits": _differ(pairs, splits),
        }
    )


def _differ(pairs: np.ndarray, splits: np.ndarray) -> np.ndarray:
    """Return whether the photos of each pair are in two splits, `bool [n]`."""
    first, second = splits[pairs["first"]], splits[pairs["second"]]
    differ: np.ndarray = (first != second) & (first >= 0) & (second >= 0)
    return differ


def count_leaks(
    photos: pd.DataFrame, leaks: np.ndarray, training: np.ndarray
) -> list[dict[str, object]]:
    """Count the photos of each split without training that leak.

    Returns:
        `split`, `photos` and `with_near_duplicate` of each split.
    """
    others = photos.assign(leaks=leaks)[~training & photos["split"].notna()]
    counts = others.groupby("split")["leaks"].agg(["size", "sum"])
    return [
        {"split": split, "photos": int(size), "with_near_duplicate": int(found)}
        for split, size, found in counts.itertuples()
    ]
