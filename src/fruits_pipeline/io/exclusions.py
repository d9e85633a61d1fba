"""Files of a listing that are left out, and why."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

from fruits_pipeline.io.listing import ListedFile

LeftOut = Mapping[str, Sequence[str]]
"""Paths of the files that are left out, by reason."""

SYSTEM_FILE = "system file"
HIDDEN = "hidden"
FOLDER_MARKER = "folder marker"
BELOW_ROOT = "below root"
LINK_LOOP = "link to a parent folder"
NO_EXTENSION = "no extension"
UNUSUAL_EXTENSION = "unusual extension"
NOT_UTF8 = "name is not UTF-8"
NOT_REGULAR = "not a regular file"
BROKEN_LINK = "broken link"
ARCHIVED = "archived in S3 Glacier"
FORGOTTEN = "forgotten"
MAYBE_FORGOTTEN = "of the size of a forgotten photo, and unreadable"

NO_WARNING = {SYSTEM_FILE, HIDDEN, FOLDER_MARKER, BELOW_ROOT, LINK_LOOP, ARCHIVED}
NO_WARNING |= {FORGOTTEN}
"""Reasons of files that are not the user's photos, or have their own warning."""

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

PHOTO_LIKE = frozenset(
    # Raw files of cameras
    ["3fr", "arw", "cr2", "cr3", "crw", "dcr", "dng", "erf", "fff", "gpr", "iiq", "kdc"]
    + ["mef", "mos", "mrw", "nef", "nrw", "orf", "pef", "raf", "raw", "rw2", "rwl"]
    + ["sr2", "srf", "srw", "x3f"]
    # Other pictures, and films
    + ["heic", "heif", "hif", "avif", "jp2", "j2k", "jpf", "jpx", "jxl", "jxr", "psd"]
    + ["psb", "xcf", "tga", "exr", "hdr", "3gp", "avi", "m4v", "mkv", "mov", "mp4"]
    + ["mts", "webm"]
)
"""Extensions of files that may contain photos, although they cannot be ingested."""


def _to_expression(name: str) -> str:
    return re.escape(name.lower()).replace(r"\*", "[^/]*")


_SYSTEM = re.compile(f"(?:^|/)(?:{'|'.join(map(_to_expression, SYSTEM_NAMES))})(?:/|$)")
_USUAL_EXTENSION = re.compile(r"(?=[0-9]*[a-z])[a-z0-9]{1,10}")
_SURROGATE = re.compile("[\ud800-\udfff]")
"""Python decodes bytes of a file name that are not UTF-8 to lone surrogates."""


def select_photos(
    files: Iterable[ListedFile], extensions: Collection[str]
) -> tuple[list[ListedFile], dict[str, list[str]]]:
    """Separate photos from other files.

    Args:
        files: The listing.
        extensions: File name extensions of photos, lower case, without the dot.

    Returns:
        The photos sorted by path, and the paths of the other files by reason.
    """
    photos: list[ListedFile] = []
    left_out: dict[str, list[str]] = {}
    for file in files:
        reason = _exclusion_reason(file.path, extensions)
        if reason:
            left_out.setdefault(reason, []).append(file.path)
        else:
            photos.append(file)
    return sorted(photos), left_out


def _exclusion_reason(path: str, extensions: Collection[str]) -> str | None:
    """Return why a file is left out; None if it is a photo."""
    folder, _, name = path.rpartition("/")
    if reason := folder_reason(folder) or _name_reason(name):
        return reason
    if not name:
        return FOLDER_MARKER
    if _SURROGATE.search(path):
        return NOT_UTF8
    extension = _extension(name)
    if not extension:
        return NO_EXTENSION
    if extension in extensions:
        return None
    is_usual = _USUAL_EXTENSION.fullmatch(extension)
    return f".{extension}" if is_usual else UNUSUAL_EXTENSION


def _extension(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def _name_reason(path: str) -> str | None:
    """Return why the names in a path exclude a file; None if they do not."""
    if _SYSTEM.search(path.lower()):
        return SYSTEM_FILE
    names = path.split("/")
    is_hidden = any(n.startswith(".") and n not in {".", ".."} for n in names)
    return HIDDEN if is_hidden else None


@lru_cache(maxsize=1024)
def folder_reason(folder: str) -> str | None:
    """Return why all files of a folder are left out; None if they are not.

    Args:
        folder: Path relative to the photo root; may end with a slash.
    """
    return _name_reason(folder)


def find_overlooked(
    left_out: LeftOut, files: int, extensions: Collection[str]
) -> LeftOut:
    """Return files that may be photos, by reason.

    These are pictures and films in other formats. If more than 20 files and 10 % are left
    out, these are all of them.

    Args:
        left_out: Paths of the files that are left out, by reason.
        files: Number of all files.
        extensions: File name extensions of photos.
    """
    candidates = {r: paths for r, paths in left_out.items() if r not in NO_WARNING}
    if sum(map(len, candidates.values())) > max(20, files / 10):
        return candidates
    found = {
        reason: [path for path in paths if _is_like_photo(path, extensions)]
        for reason, paths in candidates.items()
    }
    return {reason: paths for reason, paths in found.items() if paths}


def _is_like_photo(path: str, extensions: Collection[str]) -> bool:
    """Return whether an extension is that of a picture or film, such as `jpg_large`."""
    match = re.match("[a-z0-9]*", _extension(path.rpartition("/")[2]))
    known = match[0] if match else ""
    return known in PHOTO_LIKE or known in extensions


def describe(left_out: LeftOut) -> str:
    """Return the number of files of each reason with up to three examples, as text."""
    by_count = sorted(left_out.items(), key=lambda item: -len(item[1]))
    texts = [
        f"{len(paths)} {reason}{_examples(reason, paths)}"
        for reason, paths in by_count[:10]
    ]
    if rest := sum(len(paths) for _, paths in by_count[10:]):
        texts.append(f"{rest} others")
    return ", ".join(texts)


def _examples(reason: str, paths: Sequence[str]) -> str:
    """Return up to three paths as text; none of erased photos, which no log may name."""
    if reason == FORGOTTEN:
        return ""
    return f" (such as {', '.join(map(repr, sorted(paths)[:3]))})"
