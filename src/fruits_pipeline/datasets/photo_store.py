"""Where photos lie: a folder, or a prefix of a bucket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fsspec.core import url_to_fs
from kedro.io.core import AbstractDataset

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.listing import File


@dataclass(frozen=True)
class Listing:
    """The files of a photo store.

    Attributes:
        root: Folder or URL, which the files' paths are relative to.
        files: All of them, photos or not.
    """

    root: str
    files: list[File]


class PhotoStore(AbstractDataset[Mapping[str, bytes], Listing]):
    """A folder of photos: loading lists it, saving adds files to it.

    Args:
        filepath: Folder, or URL such as `s3://bucket/photos`.
        metadata: For Kedro-Viz.
    """

    def __init__(
        self, *, filepath: str, metadata: dict[str, Any] | None = None
    ) -> None:
        self.filepath = filepath
        self.metadata = metadata

    def load(self) -> Listing:
        """List all files below the folder.

        Raises:
            FruitsError: The folder does not exist or is empty.
        """
        file_system, base = url_to_fs(self.filepath)
        file_system.invalidate_cache()
        found = file_system.find(base, detail=True)
        files = [_file(base, info) for info in found.values()]
        if not files:
            state = "an empty" if file_system.isdir(base) else "no such"
            raise FruitsError(
                f"Found {state} photo folder {self.filepath}; expected photos in it. "
                "Set it with --params photos=<folder or s3://...>; `make sample` "
                "renders some to start with."
            )
        return Listing(self.filepath, files)

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


def _file(base: str, info: Mapping[str, Any]) -> File:
    modified_at = info.get("mtime", info.get("LastModified"))
    if not isinstance(modified_at, datetime):
        modified_at = datetime.fromtimestamp(modified_at or 0, UTC)
    path = info["name"].removeprefix(base).lstrip("/")
    return File(
        path, info["size"], modified_at, (info.get("ETag") or "").strip('"') or None
    )
