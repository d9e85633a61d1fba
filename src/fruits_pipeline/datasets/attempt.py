"""The dataset of a file that may be missing or damaged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from kedro.io.core import AbstractDataset, DatasetError

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.spark.error_messages import user_message


class Attempt(AbstractDataset[None, Any]):
    """Loads another dataset, and returns its error instead of raising it.

    Args:
        dataset: Configuration of the other dataset, as in the catalog.
        metadata: Ignored; used by Kedro-Viz.
    """

    def __init__(
        self, *, dataset: dict[str, Any], metadata: dict[str, Any] | None = None
    ) -> None:
        self.dataset = AbstractDataset.from_config(type(self).__name__, dataset)
        self.metadata = metadata

    def load(self) -> Any:
        """Return the content; None if there is no file, a `FruitsError` if it is damaged."""
        try:
            return self.dataset.load() if self.dataset.exists() else None
        except (DatasetError, FruitsError, OSError) as exc:
            return FruitsError(user_message(exc) or str(exc))

    @property
    def preview(self) -> Callable[[], Any]:
        """Function that previews the other dataset in Kedro-Viz."""
        preview: Callable[[], Any] = cast(Any, self.dataset).preview
        return preview

    def save(self, data: None) -> None:
        """Do nothing: the entry is read-only."""

    def _describe(self) -> dict[str, Any]:
        return {"dataset": str(self.dataset)}
