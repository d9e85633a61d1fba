"""List the files of a folder."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io import exclusions
from fruits_pipeline.io.files import is_local, resolve
from fruits_pipeline.io.lease.lease import is_lease
from fruits_pipeline.io.listing import ListedFile

_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class FoundFiles:
    """The content of a folder or bucket prefix.

    Attributes:
        files: Regular files or objects, in any order.
        left_out: Paths of other entries, by reason.
        archived: Paths of `files` that must be restored before they can be read.
    """

    files: list[ListedFile] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    archived: set[str] = field(default_factory=set)

    def leave_out(self, path: str, reason: str) -> None:
        """Add a path to `left_out`."""
        self.left_out.setdefault(reason, []).append(path)


class _Folder(NamedTuple):
    """A folder to list.

    Attributes:
        prefix: Path relative to the listed folder, with a slash at the end, or empty.
        parents: Paths without symbolic links of the folder and its parents.
        reason: Why its files are left out; None if they are not.
    """

    prefix: str
    parents: tuple[str, ...]
    reason: str | None = None


def entry_names(location: str) -> set[str]:
    """Return the names of files and folders in a folder; none if it does not exist.

    Args:
        location: Path or URL of the folder.

    Raises:
        OSError: The folder cannot be listed, or is a file.
    """
    if is_local(location):
        with suppress(FileNotFoundError):
            return {*os.listdir(resolve(location)[1])}
        return set()
    # Imported here because it is slow to import, and only needed for S3.
    from fruits_pipeline.io.objects import list_names

    return list_names(location.partition("://")[2].rstrip("/"))


def list_folder(base: str, root: str | None = None) -> FoundFiles:
    """List a folder recursively, and follow symbolic links to files and folders.

    A folder that is linked twice is listed twice. A link to a folder that contains the
    link is not followed.

    Args:
        base: Path of the folder, without symbolic links.
        root: Path of a folder whose files are left out, without symbolic links.

    Raises:
        FileNotFoundError: There is no such folder.
        NotADirectoryError: It is a file.
        FruitsError: A folder cannot be listed.
    """
    found = FoundFiles()
    pending = [_Folder("", (base,))]
    while pending:
        folder = pending.pop()
        try:
            pending += _list_entries(base, folder, root, found)
        except (FileNotFoundError, NotADirectoryError):
            if not folder.prefix:
                raise
            continue  # deleted meanwhile
        except OSError as exc:
            if not folder.reason:
                raise _unlisted_error(f"{base}/{folder.prefix}", exc) from exc
            found.leave_out(folder.prefix, folder.reason)
    return found


def _list_entries(
    base: str, folder: _Folder, root: str | None, found: FoundFiles
) -> Iterator[_Folder]:
    """Add the files of a folder to `found`, and yield its folders."""
    with os.scandir(f"{base}/{folder.prefix}") as entries:
        for entry in entries:
            path = folder.prefix + entry.name
            try:
                status = _status(entry)
            except OSError:
                if not (reason := exclusions.folder_reason(path)):
                    raise
                found.leave_out(path, reason)
                continue
            if status and stat.S_ISDIR(status.st_mode):
                subfolder = _subfolder(folder, entry, root)
                if subfolder.parents[-1] in folder.parents:
                    found.leave_out(path, exclusions.LINK_LOOP)
                else:
                    yield subfolder
            elif status or entry.is_symlink():  # else deleted meanwhile
                _add_file(path, status, folder.reason, found)


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    """Return the status of a file or of the target of a link; None if there is none."""
    try:
        return entry.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as exc:
        if exc.errno in {errno.ELOOP, errno.ENAMETOOLONG}:
            return None
        raise


def _subfolder(folder: _Folder, entry: os.DirEntry[str], root: str | None) -> _Folder:
    path = folder.prefix + entry.name
    real = f"{folder.parents[-1]}/{entry.name}"
    if entry.is_symlink():
        real = os.path.realpath(entry.path)
    is_below_root = real == root or folder.reason == exclusions.BELOW_ROOT
    reason = exclusions.BELOW_ROOT if is_below_root else exclusions.folder_reason(path)
    return _Folder(f"{path}/", (*folder.parents, real), reason)


def _add_file(
    path: str, status: os.stat_result | None, reason: str | None, found: FoundFiles
) -> None:
    """Add an entry that is no folder.

    Args:
        path: Path relative to the listed folder.
        status: Status of the file; None if it is a broken link.
        reason: Why files of its folder are left out; None if they are not.
        found: The listing.
    """
    if reason == exclusions.BELOW_ROOT and is_lease(path):
        return
    if status is None:
        found.leave_out(path, reason or exclusions.BROKEN_LINK)
    elif not stat.S_ISREG(status.st_mode):
        found.leave_out(path, reason or exclusions.NOT_REGULAR)
    elif reason == exclusions.BELOW_ROOT:
        found.leave_out(path, reason)
    else:
        modified_at = _to_time(status.st_mtime)
        found.files.append(ListedFile(path, status.st_size, modified_at))


def _to_time(seconds: float) -> datetime:
    """Return a file time; 1970 if it is outside the years 1 to 9999."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return _EPOCH


def _unlisted_error(folder: str, exc: OSError) -> FruitsError:
    name = os.fsencode(exc.filename or folder).decode(errors="backslashreplace")
    return FruitsError(
        f"Found that {name} cannot be listed ({exc.strerror}); expected permission to "
        "list `photos` and every folder in it, because its photos would be missing. Make "
        "it readable (chmod -R u+rX, or another user), or move it away."
    )
