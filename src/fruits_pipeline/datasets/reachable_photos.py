"""The dataset of the photo files, for runs that can do without them."""

from __future__ import annotations

from fruits_pipeline.datasets.photo_store import Listing, PhotoStore
from fruits_pipeline.errors import FruitsError


class ReachablePhotos(PhotoStore):
    """The photo root. Loading returns an error instead of raising it."""

    def load(self) -> Listing | FruitsError:  # type: ignore[override]
        """Return the files, or why they cannot be listed."""
        try:
            return super().load()
        except FruitsError as exc:
            return exc
        except OSError as exc:
            return FruitsError(str(exc))
