"""Moments of many batches, merged as a tree whose nodes are stored.

A node covers `FANOUT ** level` consecutive batch numbers, and merges the nodes below it in
their order. The key of a node is a digest of what it was computed from, so a stored node
of another content is never used: after a batch has changed, the nodes above it are merged
again, and no others. Moments are merged, never subtracted, because a difference would lose
the digits that both have in common.

The moments of all of `n` batches need at most `FANOUT - 1` stored nodes or batches of each
of `log n` levels. They depend on the batches only, and not on the order in which the
batches were added: the result is the same, bit by bit, with and without stored nodes. It
differs from the sum in any other order by rounding of float64 (relative 1e-12 in tests).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Protocol

from fruits_pipeline.models.moments import EMPTY, Moments, merge_all

FANOUT = 8
"""Number of nodes below a node. More nodes are read with larger, more stored with smaller
numbers: 8 adds a seventh to the size of the batches' own moments."""


class NodeStore(Protocol):
    """Stores the moments of nodes by key."""

    def get(self, key: str) -> Moments | None:
        """Return the moments of a node; None if they are not stored, or damaged."""

    def put(self, key: str, moments: Moments) -> None:
        """Store the moments of a node."""

    def keep_only(self, keys: Collection[str]) -> None:
        """Delete the moments of other nodes."""


@dataclass(frozen=True)
class _Node:
    """A node of the tree, or a batch.

    Attributes:
        key: Digest of the content.
        names: Names of its batches.
        children: The nodes below it; none for a batch.
        is_stored: Whether its moments are stored: it has several children, and no batch
            can be added to it.
    """

    key: str
    names: frozenset[str]
    children: tuple[_Node, ...] = ()
    is_stored: bool = False


@dataclass(frozen=True)
class MomentTree:
    """The moments of all batches of a table.

    Attributes:
        keys: A text for each batch that changes if its content does, by batch name. Names
            are numbers.
        read: Reads the moments of a batch.
        store: Stores the moments of nodes.
    """

    keys: Mapping[str, str]
    read: Callable[[str], Moments]
    store: NodeStore

    @property
    def names(self) -> list[str]:
        """Names of all batches, sorted."""
        return sorted(self.keys)

    def discard_old_nodes(self) -> None:
        """Delete the stored nodes that are no longer part of the tree."""
        self.store.keep_only({*_stored_keys(self._root)} if self.keys else ())

    def total(self, names: Collection[str]) -> Moments:
        """Return the moments of some batches. Missing batches are ignored."""
        if not self.keys:
            return EMPTY
        written: list[str] = []
        found = self._merge(self._root, frozenset(names), written)
        if written:
            self.discard_old_nodes()
        return found

    def _merge(self, node: _Node, names: frozenset[str], written: list[str]) -> Moments:
        if node.names.isdisjoint(names):
            return EMPTY
        if not node.children:
            (name,) = node.names
            return self.read(name)
        is_complete = node.is_stored and node.names <= names
        if is_complete and (stored := self.store.get(node.key)):
            return stored
        merged = merge_all(self._merge(c, names, written) for c in node.children)
        if is_complete:
            self.store.put(node.key, merged)
            written.append(node.key)
        return merged

    @cached_property
    def _root(self) -> _Node:
        last = max(map(int, self.keys))
        nodes = {int(n): _Node(self.keys[n], frozenset([n])) for n in self.names}
        width = 1
        while len(nodes) > 1 or not nodes.keys() <= {0}:
            width *= FANOUT
            groups = groupby(nodes, lambda number: number // FANOUT)
            nodes = {
                index: _join([nodes[number] for number in group], width, index, last)
                for index, group in groups
            }
        return nodes[0]


def _join(children: list[_Node], width: int, index: int, last: int) -> _Node:
    if len(children) == 1:
        return children[0]
    text = "\n".join(child.key for child in children)
    return _Node(
        key=hashlib.sha256(text.encode()).hexdigest()[:32],
        names=frozenset().union(*(child.names for child in children)),
        children=tuple(children),
        is_stored=(index + 1) * width <= last,
    )


def _stored_keys(node: _Node) -> Collection[str]:
    own = [node.key] * node.is_stored
    return [*own, *(key for child in node.children for key in _stored_keys(child))]
