"""The dataset of the list of erased photos."""

from __future__ import annotations

from kedro_datasets._typing import TablePreview

from fruits_pipeline.datasets.path_dataset import PathDataset
from fruits_pipeline.datasets.previews.results import preview_or_reason, text_table
from fruits_pipeline.datasets.previews.rows import object_preview
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.files import read_file, write_atomically
from fruits_pipeline.io.folders import entry_names
from fruits_pipeline.io.forgotten import RECEIPTS, ForgottenPhotos


class ForgottenFile(PathDataset[ForgottenPhotos, ForgottenPhotos]):
    """A JSON file with hashes of the erased photos.

    A missing file is an empty list, unless there are receipts of erasures.
    """

    def load(self) -> ForgottenPhotos:
        """Return the erased photos.

        Raises:
            FruitsError: The file is damaged, or missing although photos were erased.
        """
        try:
            content = read_file(self.filepath)
        except FileNotFoundError:
            self._check_no_receipts()
            return ForgottenPhotos()
        try:
            return ForgottenPhotos.from_json(content)
        except (LookupError, ValueError, TypeError, AttributeError) as exc:
            raise FruitsError(
                f"Found {self.filepath} damaged ({exc}); expected the list of erased photos "
                "as `kedro forget` has written it. Restore the file from a backup: without "
                "it, erased photos that still exist in `photos` would be ingested again."
            ) from exc

    def preview(self) -> TablePreview:
        """Return the number of erased photos for Kedro-Viz."""
        return preview_or_reason(self._table, text_table, "`kedro forget`")

    def _table(self) -> TablePreview:
        forgotten = self.load()
        times = [photo.forgotten_at for photo in forgotten.photos]
        counts = {"erased photos": len(times), "last erasure": max(times, default=None)}
        return object_preview(counts)

    def save(self, data: ForgottenPhotos) -> None:
        """Write the list atomically."""
        write_atomically(self.filepath, data.to_json())

    def _exists(self) -> bool:
        """Return True: a missing file can be an empty list, or an error."""
        return True

    def _check_no_receipts(self) -> None:
        receipts = f"{self.filepath.rpartition('/')[0]}/{RECEIPTS}"
        names = [name for name in entry_names(receipts) if name.endswith(".json")]
        if names:
            raise FruitsError(
                f"Found {len(names)} receipts of erasures in {receipts}, but no list "
                f"of erased photos; expected {self.filepath}. Restore it from a backup. If "
                "the erased photos may be ingested again, delete the receipts instead."
            )
