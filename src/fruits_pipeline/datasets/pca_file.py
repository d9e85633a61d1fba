"""The dataset of a fitted PCA."""

from __future__ import annotations

import logging
from typing import Any

from kedro_datasets._typing import JSONPreview

from fruits_pipeline.datasets.delta.errors import concurrent_run_error
from fruits_pipeline.datasets.path_dataset import PathDataset
from fruits_pipeline.datasets.pca_content import (
    FittedPca,
    StoredPca,
    decode_pca,
    encode_pca,
)
from fruits_pipeline.datasets.previews.results import preview_or_reason, text_json
from fruits_pipeline.datasets.previews.rows import json_preview
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.conditional import (
    ChangedFileError,
    StoredFile,
    read_stored,
    replace_stored,
)
from fruits_pipeline.io.files import resolve
from fruits_pipeline.io.lease.held import check_lease
from fruits_pipeline.lineage import (
    ChangedLocation,
    ChangedRecipe,
    Lineage,
    Recipe,
    check_recipe,
    only_location_changed,
)
from fruits_pipeline.schema_version import complete_recipe

logger = logging.getLogger(__name__)


class PcaFile(PathDataset[FittedPca, FittedPca | None]):
    """A `.npz` file with `mean`, `scale`, `components`, `spectrum`, `n`, and lineage.

    Before a run, call `check` and then `prepare` with the lineage of the new PCA.

    Args:
        filepath: Path or URL of the file.
        changed_recipe: Whether to `refuse` another recipe, or `rebuild` the PCA.
        changed_location: Whether to `refuse` or `accept` another location of the photos.
        optional: Whether to load None if there is no file, instead of an error.
        metadata: Ignored; used by Kedro-Viz.

    Attributes:
        mends: Whether the run repairs the file. Then a damaged file is deleted before.
        lineage: Lineage of the PCA that the run will save in this file, if any.
    """

    def __init__(  # noqa: PLR0913 - settings of one file
        self,
        *,
        filepath: str,
        changed_recipe: ChangedRecipe = "refuse",
        changed_location: ChangedLocation = "refuse",
        optional: bool = False,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(filepath=filepath, metadata=metadata)
        self.changed_recipe = changed_recipe
        self.changed_location = changed_location
        self.optional = optional
        self.mends = False
        self.lineage: Lineage | None = None
        self._loaded_digest: str | None = None
        self._is_pinned = self._is_prepared = False
        self._prepared: StoredFile | None = None

    def build_id(self) -> str | None:
        """Return the digest of the PCA that was loaded, else of the stored PCA."""
        return self._loaded_digest or self.fingerprint()

    def fingerprint(self) -> str | None:
        """Return the digest of the stored PCA; None if there is no file."""
        stored = self._read()
        return stored.fitted.model.digest if stored else None

    def pin(self) -> None:
        """Load no other PCA until the end of the run, if another run replaces it."""
        self._loaded_digest, self._is_pinned = self.fingerprint(), True

    def check_current(self) -> None:
        """Raise if another run has replaced the PCA since it was loaded.

        An `optional` PCA is that of an earlier run, which this run may replace.

        Raises:
            FruitsError: The stored PCA has another digest.
        """
        if self.optional or not self._loaded_digest:
            return
        if self.fingerprint() != self._loaded_digest:
            raise concurrent_run_error(self.filepath)

    def recipe(self) -> Recipe:
        """Return the recipe of the stored PCA."""
        stored = self._read()
        return stored.recipe if stored else {}

    def source_ids(self) -> list[str | None]:
        """Return the build ids of the sources of the stored PCA."""
        stored = self._read()
        return stored.source_ids if stored else []

    def restore(self, lineage: Lineage, table_id: str | None) -> None:
        """Delete the file if it is damaged, so that the run fits the PCA again."""
        try:
            self._read()
        except FruitsError as exc:
            logger.warning("Deleted a damaged PCA: %s", exc)
            file_system, path = resolve(self.filepath)
            file_system.rm_file(path)

    def check(self, lineage: Lineage) -> None:
        """Raise if a PCA of this lineage must not be saved. Changes nothing.

        Raises:
            FruitsError: The recipe changed, or the file is damaged.
        """
        if stored := self._read():
            check_recipe(
                self.filepath,
                complete_recipe(stored.recipe, lineage.recipe),
                lineage.recipe,
                "refuse" if self.mends else self.changed_recipe,
                self.changed_location,
            )

    def prepare(self, lineage: Lineage) -> None:
        """Set a lineage that `check` accepts, and apply `changed_location`.

        From now on, saving fails if another run has changed the file.
        """
        self.lineage, self._loaded_digest = lineage, None
        self._is_prepared, self._prepared = True, read_stored(self.filepath)
        stored = self._read()
        if stored is None:
            return
        recipe = complete_recipe(stored.recipe, lineage.recipe)
        is_moved = only_location_changed(recipe, lineage.recipe)
        if self.changed_location == "accept" and is_moved:
            recipe = lineage.recipe
        if recipe != stored.recipe:
            upgraded = StoredPca(stored.fitted, recipe, stored.source_ids)
            self._prepared = self._write(upgraded, self._prepared)

    def load(self) -> FittedPca | None:
        """Return the PCA; None if `optional` and there is no file, or it will be rebuilt.

        Raises:
            FruitsError: The file is damaged, or missing and not `optional`; or another run
                has replaced it since `pin`.
        """
        stored = self._read()
        if stored is None and not self.optional:
            raise FruitsError(
                f"Found no PCA in {self.filepath}; expected one. Run the earlier stages "
                "first, with `kedro run` and the same `root`."
            )
        if stored is None or (self.optional and self._will_be_rebuilt(stored)):
            return None
        digest = stored.fitted.model.digest
        if self._is_pinned and digest != self._loaded_digest:
            raise concurrent_run_error(self.filepath)
        self._loaded_digest = digest
        return stored.fitted

    def preview(self) -> JSONPreview:
        """Return shape and explained variance for Kedro-Viz."""
        return preview_or_reason(self._summary, text_json, "`kedro run`")

    def _summary(self) -> JSONPreview | None:
        stored = self._read()
        return json_preview(stored.fitted.summary()) if stored else None

    def save(self, data: FittedPca) -> None:
        """Write PCA and lineage, unless the file already contains both.

        Raises:
            FruitsError: Another run has changed the file since `prepare`, or rebuilt a
                source.
        """
        lineage = self.lineage or Lineage()
        lineage.check_sources()
        file = read_stored(self.filepath)
        if self._is_prepared and file != self._prepared:
            raise concurrent_run_error(self.filepath)
        new = StoredPca(data, lineage.recipe, lineage.source_ids())
        old = decode_pca(self.filepath, file.content) if file else None
        if old is None or old.comparable() != new.comparable():
            file = self._write(new, file)
        self._prepared, self._loaded_digest = file, None

    def _will_be_rebuilt(self, stored: StoredPca) -> bool:
        if self.lineage is None:
            return False
        lineage = (self.lineage.recipe, self.lineage.source_ids())
        return lineage != (stored.recipe, stored.source_ids)

    def _read(self) -> StoredPca | None:
        """Return the content of the file; None if it is missing."""
        file = read_stored(self.filepath)
        return decode_pca(self.filepath, file.content) if file else None

    def _write(self, stored: StoredPca, old: StoredFile | None) -> StoredFile:
        """Replace the file.

        Args:
            stored: The new content.
            old: The expected file; None if there is none.

        Raises:
            FruitsError: Another run has changed the file.
        """
        check_lease()
        try:
            return replace_stored(self.filepath, encode_pca(stored), old)
        except ChangedFileError as exc:
            raise concurrent_run_error(self.filepath) from exc
