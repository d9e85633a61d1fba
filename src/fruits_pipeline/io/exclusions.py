"""Files of a listing that are left out, and why."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import lru_cache

import pyarrow as pa

from fruits_pipeline.io.left_out import (
    FOLDER_MARKER,
    HIDDEN,
    NO_EXTENSION,
    NOT_UTF8,
    SYSTEM_FILE,
    UNUSUAL_EXTENSION,
    LeftOut,
    extension_of,
)
from fruits_pipeline.io.listing import ListedFile

# One line per origin; `*` stands for any characters except `/`.
SYSTEM_NAMES = [
    # Synology, QNAP, NetApp
    *("@eaDir", "@tmp", "@sharebin", "#recycle", "#snapshot", "SYNOPHOTO_THUMB_*"),
    *(".@__thumb", "@__thumb", "@Recycle", "@Recently-Snapshot", "@Snapshot"),
    *("~snapshot", ".snapshot"),
    # Windows
    *("$RECYCLE.BIN", "RECYCLER", "RECYCLED", "FOUND.0*", "$WINDOWS.~*"),
    *("System Volume Information", "Thumbs.db", "ehthumbs*.db"),
    *("desktop.ini", "*:Zone.Identifier", "~$*"),
    # macOS
    *("__MACOSX", "._*", ".DS_Store", ".AppleDouble", ".Spotlight-V100", ".Trashes"),
    *(".fseventsd", ".DocumentRevisions-V100", ".TemporaryItems", "Temporary Items"),
    *("Network Trash Folder", "Icon\r"),
    # Linux, Hadoop
    *("lost+found", ".Trash", ".Trash-*", ".thumbnails", "*_$folder$"),
    # Previews of Lightroom, Apple Photos and iPhoto
    *("*.lrdata", "*.photoslibrary/resources", "*.photolibrary/Thumbnails"),
    *("*.photolibrary/Previews", "iPod Photo Cache"),
    # Version control, synchronisation, notebooks, packages
    *(".git", ".svn", ".hg", ".dvc", ".dropbox.cache", ".stfolder", ".stversions"),
    *("~syncthing~*", ".ipynb_checkpoints", "__pycache__", "node_modules"),
    # Incomplete downloads
    *("*.crdownload", "*.part", "*.partial", "*.filepart", "*.download"),
    *("*.opdownload", "*.aria2", "*.unfinished"),
]
"""Names of system files and folders, and of incomplete files; case is ignored."""


def _to_expression(name: str) -> str:
    return re.escape(name.lower()).replace(r"\*", "[^/]*")


_SYSTEM = re.compile(f"(?:^|/)(?:{'|'.join(map(_to_expression, SYSTEM_NAMES))})(?:/|$)")
_HIDDEN = re.compile(r"(?:^|/)\.(?!\.?(?:/|\Z))")
"""Names that start with a dot, except `.` and `..`."""
_USUAL_EXTENSION = re.compile(r"(?=[0-9]*[a-z])[a-z0-9]{1,10}")
_SURROGATE = re.compile("[\ud800-\udfff]")
"""Python decodes bytes of a file name that are not UTF-8 to lone surrogates."""


def select_photos(
    files: Iterable[ListedFile], extensions: Collection[str]
) -> tuple[list[ListedFile], LeftOut]:
    """Separate photos from other files.

    Args:
        files: The listing.
        extensions: File name extensions of photos, lower case, without the dot.

    Returns:
        The photos sorted by path, and the other files.
    """
    photos: list[ListedFile] = []
    left_out = LeftOut()
    for file in files:
        if reason := exclusion_reason(file.path, extensions):
            left_out.add(file.path, reason)
        else:
            photos.append(file)
    return sorted(photos), left_out


def select_rows(
    files: pa.Table, extensions: Collection[str], left_out: LeftOut
) -> pa.Table:
    """Return the rows of photos; add the paths of the other files to `left_out`."""
    reasons = [exclusion_reason(p, extensions) for p in files["path"].to_pylist()]
    if not any(reasons):
        return files
    for path, reason in zip(files["path"].to_pylist(), reasons, strict=True):
        if reason:
            left_out.add(path, reason)
    return files.filter(pa.array([reason is None for reason in reasons]))


def exclusion_reason(path: str, extensions: Collection[str]) -> str | None:
    """Return why a file is left out; None if it is a photo."""
    folder, _, name = path.rpartition("/")
    if reason := folder_reason(folder) or _name_reason(name):
        return reason
    if not name:
        return FOLDER_MARKER
    if _SURROGATE.search(path):
        return NOT_UTF8
    extension = extension_of(name)
    if not extension:
        return NO_EXTENSION
    if extension in extensions:
        return None
    is_usual = _USUAL_EXTENSION.fullmatch(extension)
    return f".{extension}" if is_usual else UNUSUAL_EXTENSION


def _name_reason(path: str) -> str | None:
    """Return why the names in a path exclude a file; None if they do not."""
    if _SYSTEM.search(path.lower()):
        return SYSTEM_FILE
    return HIDDEN if _HIDDEN.search(path) else None


@lru_cache(maxsize=1024)
def folder_reason(folder: str) -> str | None:
    """Return why all files of a folder are left out; None if they are not.

    Args:
        folder: Path relative to the photo root; may end with a slash.
    """
    return _name_reason(folder)
