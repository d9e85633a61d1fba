"""The dataset of the photo files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from fruits_pipeline.datasets.path_dataset import PathDataset
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.listing import ListedFile
from fruits_pipeline.lineage import LOCATION, Recipe


@dataclass(frozen=True)
class Listing:
    """The files below the photo root.

    Attributes:
        photo_root: Path or URL of the photo root.
        files: Photos and other files, without those below `root`, the folder of the tables.
        below_root: Number of files below `root`, if it is inside the photo root.
    """

    photo_root: str
    files: list[ListedFile]
    below_root: int = 0


class PhotoStore(PathDataset[Mapping[str, bytes], Listing]):
    """The photo root. Loading lists its files; saving adds files.

    Args:
        filepath: Path or URL of the photo root, such as `s3://bucket/photos`.
        tables: `{"path": ...}`, path or URL of the root of the tables. Files below it are
            not listed. (Kedro resolves entries named `path` relative to the project.)
        metadata: Ignored; used by Kedro-Viz.
    """

    def __init__(
        self,
        *,
        filepath: str,
        tables: Mapping[str, str] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(filepath=filepath, metadata=metadata)
        self.root = tables["path"] if tables else None

    def recipe(self) -> Recipe:
        """Return the recipe: the location of the photo root.

        It is relative to the root of the tables if both are local, so that they can be
        moved together.
        """
        file_system, photos = _resolve(self.filepath)
        if isinstance(file_system, LocalFileSystem) and self.root:
            root_file_system, root = _resolve(self.root)
            if isinstance(root_file_system, LocalFileSystem):
                return {LOCATION: os.path.relpath(photos, root)}
        return {LOCATION: file_system.unstrip_protocol(photos)}

    def load(self) -> Listing:
        """List all files below the photo root.

        Raises:
            FruitsError: The folder is missing, empty, or also the root of the tables.
        """
        file_system, base = _resolve(self.filepath)
        excluded = self._tables_below(base)
        file_system.invalidate_cache()
        found = file_system.find(base, detail=True)
        listed = [
            info
            for path, info in found.items()
            if excluded is None or not path.startswith(f"{excluded}/")
        ]
        if not listed:
            state = "an empty" if file_system.isdir(base) else "no such"
            raise FruitsError(
                f"Found {state} photo folder {self.filepath}; expected photos in it. "
                "Set it with --params photos=<folder or s3://...>; `make sample` "
                "renders some to start with."
            )
        files = [_listed_file(base, info) for info in listed]
        return Listing(self.filepath, files, len(found) - len(listed))

    def _tables_below(self, base: str) -> str | None:
        """Return the root of the tables if it is inside the photo root.

        Raises:
            FruitsError: Photo root and root of the tables are the same folder.
        """
        root = _resolve(self.root)[1] if self.root else ""
        if base == root:
            raise FruitsError(
                f"Found `photos` and `root` set to the same folder {self.filepath}; "
                "expected two folders. Set `root` to a folder for the tables."
            )
        return root if root.startswith(f"{base}/") else None

    def save(self, data: Mapping[str, bytes]) -> None:
        """Write files by path relative to the photo root, and keep existing files."""
        file_system, base = url_to_fs(self.filepath)
        for path, content in data.items():
            parent = f"{base}/{path}".rpartition("/")[0]
            file_system.makedirs(parent, exist_ok=True)
            file_system.pipe_file(f"{base}/{path}", content)


def _resolve(location: str) -> tuple[Any, str]:
    """Return the file system of a path or URL, and its path without symbolic links."""
    file_system, path = url_to_fs(location)
    if isinstance(file_system, LocalFileSystem):
        path = os.path.realpath(path)
    return file_system, path.rstrip("/")


def _listed_file(base: str, info: Mapping[str, Any]) -> ListedFile:
    """Convert the fsspec info of a file; its keys depend on the file system."""
    modified_at = info.get("mtime", info.get("LastModified"))
    if not isinstance(modified_at, datetime):
        modified_at = datetime.fromtimestamp(modified_at or 0, UTC)
    return ListedFile(
        path=info["name"].removeprefix(base).lstrip("/"),
        size_bytes=info["size"],
        modified_at=modified_at,
        etag=(info.get("ETag") or "").strip('"') or None,
    )
