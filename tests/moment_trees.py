"""Moments of batches in memory, for tests."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from fruits_pipeline.models.moment_tree import MomentTree
from fruits_pipeline.models.moments import Moments


@dataclass
class MemoryStore:
    """Nodes by key, and the keys that were read."""

    nodes: dict[str, Moments] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)

    def get(self, key: str) -> Moments | None:
        found = self.nodes.get(key)
        if found is not None:
            self.read.append(key)
        return found

    def put(self, key: str, moments: Moments) -> None:
        assert key not in self.nodes, "a stored node was computed again"
        self.nodes[key] = moments

    def keep_only(self, keys: Collection[str]) -> None:
        self.nodes = {key: self.nodes[key] for key in self.nodes if key in keys}


def moment_tree(
    moments: Mapping[str, Moments], store: MemoryStore | None = None
) -> MomentTree:
    """Return the tree of the moments of batches, whose content is their identity."""
    keys = {name: f"{name} {id(values)}" for name, values in moments.items()}
    return MomentTree(keys, moments.__getitem__, store or MemoryStore())
