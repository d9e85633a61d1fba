"""The dataset of the photo files, for runs that can do without them."""

from __future__ import annotations

from kedro.io.core import DatasetError

from fruits_pipeline.datasets.photo_listing import Listing
from fruits_pipeline.datasets.photo_store import PhotoStore
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.spark.error_messages import user_message


class ReachablePhotos(PhotoStore):
    """The photo root. Loading returns an error instead of raising it."""

    def load(self) -> Listing | FruitsError:  # type: ignore[override]
        """Return the files, or why they cannot be listed."""
        try:
            return super().load()
        except (DatasetError, FruitsError, OSError) as exc:  # Kedro wraps them
            return FruitsError(user_message(exc) or str(exc))
