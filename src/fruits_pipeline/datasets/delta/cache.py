"""Cache of open Delta tables during a run."""

from __future__ import annotations

from dataclasses import dataclass, field

from deltalake import DeltaTable

from fruits_pipeline.datasets.delta.requests import open_delta_table, repeat


@dataclass
class TableCache:
    """Tables that the current run has opened, to save requests to storage.

    Attributes:
        enabled: Whether a run is in progress. Otherwise nothing is cached.
        tables: Open tables by location. Opening one again reads only newer commits.
        checked: Locations and versions of tables whose file sizes were checked.
    """

    enabled: bool = False
    tables: dict[str, DeltaTable] = field(default_factory=dict)
    checked: set[tuple[str, str]] = field(default_factory=set)

    def start(self) -> None:
        """Empty and enable the cache, at the start of a run."""
        self.stop()
        self.enabled = True

    def stop(self) -> None:
        """Empty and disable the cache, at the end of a run."""
        self.enabled = False
        self.tables.clear()
        self.checked.clear()


CACHE = TableCache()
"""Cache of this process, which executes one run at a time."""


def open_cached(location: str) -> DeltaTable:
    """Return the newest version of a table; reads only newer commits during a run."""
    if not CACHE.enabled:
        return open_delta_table(location)
    if location in CACHE.tables:
        repeat(location, CACHE.tables[location].update_incremental)
    else:
        CACHE.tables[location] = open_delta_table(location)
    return CACHE.tables[location]
