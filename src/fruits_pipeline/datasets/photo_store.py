"""The dataset of the photo files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from kedro_datasets._typing import ImagePreview

from fruits_pipeline.datasets.path_dataset import PathDataset
from fruits_pipeline.datasets.photo_inventory import read_inventory
from fruits_pipeline.datasets.photo_listing import ListedFiles, Listing
from fruits_pipeline.datasets.previews.contact_sheet import text_image
from fruits_pipeline.datasets.previews.photo_folder import folder_sheet
from fruits_pipeline.datasets.previews.results import preview_or_reason
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.files import is_local, resolve
from fruits_pipeline.io.folders import walk_folder
from fruits_pipeline.io.found import FoundEntry, to_tables
from fruits_pipeline.io.left_out import LeftOut
from fruits_pipeline.lineage import LOCATION, Recipe
from fruits_pipeline.locations import location_problem

WRITTEN_FOLDERS = (
    "02_intermediate",
    "03_primary",
    "04_feature",
    "05_model_input",
    "06_models",
    "07_model_output",
    "08_reporting",
)
"""Folders below `root` that runs write to."""


class PhotoStore(PathDataset[Mapping[str, bytes], Listing]):
    """The photo root. Loading lists its files; saving adds files.

    Args:
        filepath: Path of a folder, or URL such as `s3://bucket/photos`.
        tables: `{"path": ...}`, path or URL of the root of the tables. Files below it are
            not listed. (Kedro resolves entries named `path` relative to the project.)
        inventory: URL of the `manifest.json` of an S3 Inventory, which is read instead of
            listing the bucket; None lists it.
        metadata: Ignored; used by Kedro-Viz.
    """

    def __init__(
        self,
        *,
        filepath: str,
        tables: Mapping[str, str] | None = None,
        inventory: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(filepath=filepath, metadata=metadata)
        self.root = tables["path"] if tables else None
        self.inventory = inventory

    def recipe(self) -> Recipe:
        """Return the recipe: the location of the photo root.

        It is relative to the root of the tables if both are local, so that they can be
        moved together.
        """
        base = self._base()
        if not is_local(self.filepath):
            return {LOCATION: f"s3://{base}"}
        if self.root and is_local(self.root):
            return {LOCATION: os.path.relpath(base, _base_path(self.root))}
        return {LOCATION: f"file://{base}"}

    def load(self) -> Listing:
        """List all files below the photo root.

        Raises:
            FruitsError: The photo root is missing, empty, a file, or also the root of the
                tables; or a folder cannot be listed.
        """
        base = self._base()
        root = self._tables_below(base)
        if self.inventory:
            return read_inventory(self.inventory, self.filepath, base, root)
        left_out = LeftOut()
        try:
            files = ListedFiles(to_tables(self._walk(base, root), left_out))
        except FileNotFoundError as exc:
            raise self._empty_error("no such") from exc
        except NotADirectoryError as exc:
            raise FruitsError(
                f"Found that `photos` = {self.filepath} is a file; expected a folder or "
                "s3://bucket/prefix. Unpack an archive first; for one photo, set the folder "
                "that contains it."
            ) from exc
        if not files and not left_out:
            raise self._empty_error("an empty")
        return Listing(self.filepath, files, left_out)

    def check_location(self) -> None:
        """Check the location, without a request to a remote store.

        Raises:
            FruitsError: The photo root is missing, or a folder that runs write to.
        """
        self._tables_below(base := self._base())
        if is_local(self.filepath) and not os.path.exists(base):
            raise self._empty_error("no such")

    def _walk(self, base: str, root: str | None) -> Iterator[FoundEntry]:
        if is_local(self.filepath):
            return walk_folder(base, root)
        # Imported here because it is slow to import, and only needed for S3.
        from fruits_pipeline.io.object_listing import walk_objects

        return walk_objects(base, root)

    def _base(self) -> str:
        """Return the local path without symbolic links, or `bucket/prefix` in S3.

        Raises:
            FruitsError: It is a URL of another store.
        """
        if problem := location_problem(self.filepath):
            raise FruitsError(f"Wrong setting photos: {problem}")
        return _base_path(self.filepath)

    def _tables_below(self, base: str) -> str | None:
        """Return the root of the tables if it is in the same store.

        Raises:
            FruitsError: Photo root and root of the tables are the same folder, or the
                photo root is in a folder that runs write to.
        """
        if not self.root or is_local(self.root) != is_local(self.filepath):
            return None
        root = _base_path(self.root)
        if base == root:
            raise FruitsError(
                f"Found `photos` and `root` set to the same folder {self.filepath}; "
                "expected two folders. Set `root` to a folder for the tables."
            )
        folder = base.removeprefix(f"{root}/").partition("/")[0]
        if base.startswith(f"{root}/") and folder in WRITTEN_FOLDERS:
            raise FruitsError(
                f"Found `photos` = {self.filepath} in {folder} of `root`, where runs write "
                "tables, models or reports; expected another folder. Move the photos, or "
                "choose another `root`."
            )
        return root

    def _empty_error(self, state: str) -> FruitsError:
        return FruitsError(
            f"Found {state} photo folder {self.filepath}; expected photos in it. "
            "Set it with --params photos=<folder or s3://...>; `make sample` "
            "renders some to start with."
        )

    def preview(self) -> ImagePreview:
        """Return a contact sheet of some photos for Kedro-Viz."""
        return preview_or_reason(self._sheet, text_image, "`make sample`")

    def _sheet(self) -> ImagePreview:
        return folder_sheet(self.filepath, self.root) or text_image(
            f"No photos in {self.filepath}. Set the folder or bucket with photos=..., or "
            "render a sample with `make sample`."
        )

    def save(self, data: Mapping[str, bytes]) -> None:
        """Write files by path relative to the photo root, and keep existing files."""
        file_system, base = resolve(self.filepath)
        for path, content in data.items():
            parent = f"{base}/{path}".rpartition("/")[0]
            file_system.makedirs(parent, exist_ok=True)
            file_system.pipe_file(f"{base}/{path}", content)


def _base_path(location: str) -> str:
    """Return a local path without symbolic links, or `bucket/prefix` of a URL."""
    if is_local(location):
        return os.path.realpath(resolve(location)[1])
    return location.partition("://")[2].rstrip("/")
