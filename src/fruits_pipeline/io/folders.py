"""List the files of a folder."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io import left_out
from fruits_pipeline.io.exclusions import folder_reason
from fruits_pipeline.io.files import is_local, resolve
from fruits_pipeline.io.found import FoundEntry, FoundFiles
from fruits_pipeline.io.lease.lease import is_lease

_EPOCH = datetime.fromtimestamp(0, UTC)


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
    from fruits_pipeline.io.object_listing import list_names

    return list_names(location.partition("://")[2].rstrip("/"))


def list_folder(base: str, root: str | None = None) -> FoundFiles:
    """Return the entries that `walk_folder` yields."""
    return FoundFiles.of(walk_folder(base, root))


def walk_folder(base: str, root: str | None = None) -> Iterator[FoundEntry]:
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
    pending = [_Folder("", (base,))]
    while pending:
        folder = pending.pop()
        try:
            for found in _list_entries(base, folder, root):
                if isinstance(found, _Folder):
                    pending.append(found)
                else:
                    yield found
        except (FileNotFoundError, NotADirectoryError):
            if not folder.prefix:
                raise
            continue  # deleted meanwhile
        except OSError as exc:
            if not folder.reason:
                raise _unlisted_error(f"{base}/{folder.prefix}", exc) from exc
            yield FoundEntry(folder.prefix, reason=folder.reason)


def _list_entries(
    base: str, folder: _Folder, root: str | None
) -> Iterator[FoundEntry | _Folder]:
    """Yield the files and folders of a folder."""
    with os.scandir(f"{base}/{folder.prefix}") as entries:
        for entry in entries:
            path = folder.prefix + entry.name
            try:
                status = _status(entry)
            except OSError:
                if not (reason := folder_reason(path)):
                    raise
                yield FoundEntry(path, reason=reason)
                continue
            if status and stat.S_ISDIR(status.st_mode):
                subfolder = _subfolder(folder, entry, root)
                if subfolder.parents[-1] in folder.parents:
                    yield FoundEntry(path, reason=left_out.LINK_LOOP)
                else:
                    yield subfolder
            elif status or entry.is_symlink():  # else deleted meanwhile
                yield from _file_entry(path, status, folder.reason)


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
    is_below_root = real == root or folder.reason == left_out.BELOW_ROOT
    reason = left_out.BELOW_ROOT if is_below_root else folder_reason(path)
    return _Folder(f"{path}/", (*folder.parents, real), reason)


def _file_entry(
    path: str, status: os.stat_result | None, reason: str | None
) -> Iterator[FoundEntry]:
    """Yield an entry that is no folder; nothing for the lease of a run.

    Args:
        path: Path relative to the listed folder.
        status: Status of the file; None if it is a broken link.
        reason: Why files of its folder are left out; None if they are not.
    """
    if reason == left_out.BELOW_ROOT and is_lease(path):
        return
    if status is None:
        yield FoundEntry(path, reason=reason or left_out.BROKEN_LINK)
    elif not stat.S_ISREG(status.st_mode):
        yield FoundEntry(path, reason=reason or left_out.NOT_REGULAR)
    elif reason == left_out.BELOW_ROOT:
        yield FoundEntry(path, reason=reason)
    else:
        yield FoundEntry(path, status.st_size, _to_time(status.st_mtime))


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
