"""The photo store: a folder, or a prefix of a bucket."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem
from kedro.io.core import AbstractDataset

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.listing import File
from fruits_pipeline.lineage import LOCATION, Recipe


@dataclass(frozen=True)
class Listing:
    """The files of a photo store.

    Attributes:
        root: Folder or URL, which the files' paths are relative to.
        files: All of them, photos or not, but for those below the root of the tables.
        below_root: Number of files below the root of the tables.
    """

    root: str
    files: list[File]
    below_root: int = 0


class PhotoStore(AbstractDataset[Mapping[str, bytes], Listing]):
    """A folder of photos: loading lists it, saving adds files to it.

    Args:
        filepath: Folder, or URL such as `s3://bucket/photos`.
        tables: `{"path": ...}`, folder or URL of the tables; what lies below it is not
            listed. (Kedro resolves entries named `path` against the project.)
        metadata: For Kedro-Viz.
    """

    def __init__(
        self,
        *,
        filepath: str,
        tables: Mapping[str, str] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self.filepath = filepath
        self.root = tables["path"] if tables else None
        self.metadata = metadata

    def recipe(self) -> Recipe:
        """Return where the photos are.

        Relative to the root of the tables if both are on this disk, so that they may be
        moved together.
        """
        file_system, base = _real(self.filepath)
        if isinstance(file_system, LocalFileSystem) and self.root:
            other, root = _real(self.root)
            if isinstance(other, LocalFileSystem):
                return {LOCATION: os.path.relpath(base, root)}
        return {LOCATION: file_system.unstrip_protocol(base)}

    def load(self) -> Listing:
        """List all files below the folder.

        Raises:
            FruitsError: The folder does not exist, is empty, or is the root.
        """
        file_system, base = _real(self.filepath)
        below = self._root_below(base)
        file_system.invalidate_cache()
        found = file_system.find(base, detail=True)
        listed = [
            info
            for name, info in found.items()
            if below is None or not name.startswith(f"{below}/")
        ]
        if not listed:
            state = "an empty" if file_system.isdir(base) else "no such"
            raise FruitsError(
                f"Found {state} photo folder {self.filepath}; expected photos in it. "
                "Set it with --params photos=<folder or s3://...>; `make sample` "
                "renders some to start with."
            )
        files = [_file(base, info) for info in listed]
        return Listing(self.filepath, files, len(found) - len(listed))

    def _root_below(self, base: str) -> str | None:
        """Return the root of the tables if it is inside the photo folder.

        Raises:
            FruitsError: They are the same folder.
        """
        root = _real(self.root)[1] if self.root else ""
        if base == root:
            raise FruitsError(
                f"Found `photos` and `root` set to the same folder {self.filepath}; "
                "expected two. Set `root` to a folder for the tables."
            )
        return root if root.startswith(f"{base}/") else None

    def save(self, data: Mapping[str, bytes]) -> None:
        """Write files, by their path below the folder."""
        file_system, base = url_to_fs(self.filepath)
        for path, content in data.items():
            parent = f"{base}/{path}".rpartition("/")[0]
            file_system.makedirs(parent, exist_ok=True)
            file_system.pipe_file(f"{base}/{path}", content)

    def _exists(self) -> bool:
        file_system, base = url_to_fs(self.filepath)
        return bool(file_system.exists(base))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self.filepath}


def _real(place: str) -> tuple[Any, str]:
    """Return the file system of a place, and its path there without links."""
    file_system, path = url_to_fs(place)
    if isinstance(file_system, LocalFileSystem):
        path = os.path.realpath(path)
    return file_system, path.rstrip("/")


def _file(base: str, info: Mapping[str, Any]) -> File:
    modified_at = info.get("mtime", info.get("LastModified"))
    if not isinstance(modified_at, datetime):
        modified_at = datetime.fromtimestamp(modified_at or 0, UTC)
    path = info["name"].removeprefix(base).lstrip("/")
    return File(
        path, info["size"], modified_at, (info.get("ETag") or "").strip('"') or None
    )
