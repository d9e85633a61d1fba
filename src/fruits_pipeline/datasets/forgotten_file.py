"""The dataset of the list of erased photos."""

from __future__ import annotations

from fruits_pipeline.datasets.path_dataset import PathDataset
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.files import read_file, write_atomically
from fruits_pipeline.io.forgotten import ForgottenPhotos


class ForgottenFile(PathDataset[ForgottenPhotos, ForgottenPhotos]):
    """A JSON file with hashes of the erased photos. A missing file is an empty list."""

    def load(self) -> ForgottenPhotos:
        """Return the erased photos.

        Raises:
            FruitsError: The file is damaged.
        """
        try:
            content = read_file(self.filepath)
        except FileNotFoundError:
            return ForgottenPhotos()
        try:
            return ForgottenPhotos.from_json(content)
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise FruitsError(
                f"Found {self.filepath} damaged ({exc}); expected the list of erased photos "
                "as `kedro forget` has written it. Restore the file from a backup: without "
                "it, erased photos that still exist in `photos` would be ingested again."
            ) from exc

    def save(self, data: ForgottenPhotos) -> None:
        """Write the list atomically."""
        write_atomically(self.filepath, data.to_json())
