"""Detect path rules that do not fit the folders of the photo root."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from fruits_pipeline.io.listing import PathLabels, compile_rules, parse_path

_BLOCKS, _BLOCK_SIZE = 1000, 20
_MIN_PHOTOS = 20
_SPLITS = "training|train|validation|valid|val|test"
_NO_FRUIT = re.compile(
    rf"(?:{_SPLITS}|testing|dev|eval|holdout|folds?|splits?|part|batch|sets?|data|raw|"
    r"images?|imgs?|photos?|pictures?|jpe?g|png|webp|zip|archive|[ _.\d-])+",
    re.IGNORECASE,
)
"""Names of folders of many collections, such as `train_images` and `val2017`."""

_ALTERNATIVES = (
    # Label before the split: Apple/train/x.jpg
    rf"(?:.*/)?(?P<label>[^/]+)/(?P<split>(?i:{_SPLITS}))/.+",
    # The same with folders in between: Apple/images/train/x.jpg
    rf"(?P<label>[^/]+)/.+/(?P<split>(?i:{_SPLITS}))/.+",
    # A folder above the labels: Fruits/Apple/x.jpg
    r"[^/]+/(?P<label>[^/]+)/.+",
    # The folder that contains the photo: Fruits/2026/Apple/x.jpg
    r"(?:.*/)?(?P<label>[^/]+)/[^/]+",
    # The start of the file name: apple_12.jpg
    r"(?:.*/)?(?P<label>[^/\d]+?)[ _-]*\d[^/]*",
)
"""Rules to suggest, the most specific first."""


class PathBlocks:
    """Some of many paths: 1,000 evenly spaced blocks of 20 successive ones.

    Args:
        count: Maximum number of paths. All are kept if there are up to 20,000.
    """

    def __init__(self, count: int) -> None:
        self.paths: list[str] = []
        self._next = 0
        self._positions = np.arange(min(count, _BLOCKS * _BLOCK_SIZE))
        if count > _BLOCKS * _BLOCK_SIZE:
            starts = count * np.arange(_BLOCKS) // _BLOCKS
            self._positions = np.add.outer(starts, np.arange(_BLOCK_SIZE)).ravel()

    def add(self, paths: pa.ChunkedArray) -> None:
        """Add the paths that follow those that were added before."""
        first, self._next = self._next, self._next + len(paths)
        bounds = np.searchsorted(self._positions, [first, self._next])
        self.paths += paths.take(self._positions[slice(*bounds)] - first).to_pylist()


def label_warnings(
    paths: Sequence[str], rules: Sequence[re.Pattern[str]]
) -> Iterator[str]:
    """Yield a warning for each sign of wrong labels.

    Args:
        paths: Paths of photos relative to the photo root, sorted: all, or the selection of
            `PathBlocks`.
        rules: Compiled path rules.
    """
    parsed = [parse_path(path, rules) for path in paths]
    if problem := _find_problem(parsed):
        yield "\n".join([f"{problem}. The path rules find:", *_examples(paths, parsed)])
        yield _suggest_rule(paths, rules)
    elif lost := _find_unlabelled(paths, parsed):
        yield (
            f"Found {len(lost):,} photo(s) without a label in folders that are labels of "
            f"other photos, such as {lost[0]!r}; expected the same structure everywhere. "
            "Move them, or add a rule to ingest.path_rules in parameters_ingest.yml."
        )
    if similar := _similar_labels(parsed):
        yield (
            f"Found labels that differ only in case or white space: {similar}; they are "
            "different labels. Rename the folders if they contain the same fruit."
        )


def _find_problem(parsed: Sequence[PathLabels]) -> str | None:
    """Return what is probably wrong with labels; None if nothing is."""
    labels = {photo.label for photo in parsed if photo.label is not None}
    count = f"{len(parsed):,} photo(s) examined"
    unlabelled = sum(photo.label is None for photo in parsed)
    if 2 * unlabelled > len(parsed):
        return f"Found no label for {unlabelled:,} of {count}; expected labels in the paths"
    if len(labels) == 1:
        return f"Found only the label {labels.pop()!r} for {count}; expected several labels"
    if len(parsed) >= _MIN_PHOTOS and 2 * len(labels) > len(parsed):
        return (
            f"Found {len(labels):,} labels for {count}; expected several photos of each"
        )
    if wrong := sorted(label for label in labels if _is_no_fruit(label)):
        names = ", ".join(map(repr, wrong[:5]))
        return f"Found the label(s) {names}; expected kinds of fruit"
    return None


def _find_unlabelled(paths: Sequence[str], parsed: Sequence[PathLabels]) -> list[str]:
    """Return the paths of photos without a label below a folder that is a label elsewhere."""
    labels = {photo.label for photo in parsed}
    return [
        path
        for path, photo in zip(paths, parsed, strict=True)
        if photo.label is None and not labels.isdisjoint(path.split("/")[:-1])
    ]


def _is_no_fruit(label: str) -> bool:
    """Return whether a label is the name of a split or folder; numbers may be labels."""
    return bool(_NO_FRUIT.fullmatch(label)) and any(map(str.isalpha, label))


def _examples(paths: Sequence[str], parsed: Sequence[PathLabels]) -> Iterator[str]:
    """Yield a line for the first path, one in the middle, and the last one."""
    for i in sorted({0, len(paths) // 2, len(paths) - 1}):
        values = zip(PathLabels._fields, parsed[i], strict=True)
        found = ", ".join(f"no {n}" if v is None else f"{n} {v!r}" for n, v in values)
        yield f"- {paths[i]!r}: {found}"


def _suggest_rule(paths: Sequence[str], rules: Sequence[re.Pattern[str]]) -> str:
    """Return the first alternative that solves the problem, in a sentence."""
    setting = "ingest.path_rules in parameters_ingest.yml"
    for rule in _ALTERNATIVES:
        parsed = [parse_path(path, [*compile_rules([rule]), *rules]) for path in paths]
        if not _find_problem(parsed):
            labels = {photo.label for photo in parsed} - {None}
            return (
                f"To find {len(labels):,} labels in the paths instead, insert this rule "
                f"first in {setting}:\n- '{rule}'\nIf there are tables already, rebuild "
                "them with --params changed_recipe=rebuild."
            )
    return (
        f"No usual rule finds better labels in these paths. If they contain labels, change {setting}. "
        "Photos without a label are processed, but cannot train the classifier."
    )


def _similar_labels(parsed: Sequence[PathLabels]) -> str:
    """Return groups of labels that differ only in case or white space, as text."""
    groups: dict[str, list[str]] = {}
    for label in sorted({photo.label for photo in parsed if photo.label is not None}):
        groups.setdefault("".join(label.split()).casefold(), []).append(label)
    similar = (group for group in groups.values() if len(group) > 1)
    return "; ".join(" and ".join(map(repr, group)) for group in similar)
