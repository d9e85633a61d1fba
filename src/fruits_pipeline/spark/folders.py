"""Folders for temporary files of Spark."""

from __future__ import annotations

import atexit
import os
import pwd
import tempfile
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from shutil import rmtree

from fruits_pipeline.errors import FruitsError

MAX_SOCKET_FOLDER = 60
"""Maximum length in bytes of the path of a folder of Unix sockets; a limit of Spark."""


def temporary_folder() -> str:
    """Return the folder of temporary files: `TMPDIR` if it is writable, else a default.

    Raises:
        FruitsError: No folder is writable.
    """
    try:
        return tempfile.gettempdir()
    except FileNotFoundError as exc:
        raise FruitsError(
            f"Found no writable folder for temporary files ({exc.strerror}); expected "
            "one. Set TMPDIR to a writable folder."
        ) from exc


def make_socket_folder() -> str | None:
    """Create a folder that is deleted at exit, because Spark does not delete its sockets.

    Returns:
        The path; None if no writable folder has a path that is short enough.
    """
    prefix = "fruits-sockets-"
    parents = (temporary_folder(), "/tmp", "/dev/shm", "/var/tmp")  # noqa: S108
    for parent in parents:
        if len(os.fsencode(parent)) + len(f"/{prefix}12345678") > MAX_SOCKET_FOLDER:
            continue
        try:
            folder = tempfile.mkdtemp(prefix=prefix, dir=parent)
        except OSError:
            continue
        atexit.register(rmtree, folder, ignore_errors=True)
        return folder
    return None


def set_home(environ: MutableMapping[str, str] = os.environ) -> None:
    """Set `HOME` to the temporary folder if this user has none, as in containers.

    Libraries fail when they look for their configuration in it.
    """
    if not os.path.isabs(os.path.expanduser("~")):
        environ["HOME"] = temporary_folder()


def folder_options() -> Iterator[str]:
    """Yield the JVM options of folders that differ from Java's defaults.

    Java ignores `TMPDIR` and `HOME`: it uses `/tmp`, and the home folder in passwd.
    """
    temporary = temporary_folder()
    if temporary != "/tmp":  # noqa: S108
        yield f"-Djava.io.tmpdir={temporary}"
    if not os.access(_passwd_home(), os.W_OK):
        home = os.environ.get("HOME", "")
        yield f"-Duser.home={home if os.access(home, os.W_OK) else temporary}"


def _passwd_home() -> str:
    return pwd.getpwuid(os.getuid()).pw_dir if has_passwd_entry() else ""


def has_passwd_entry() -> bool:
    """Return whether the current user has an entry in the password database."""
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        return False
    return True


def check_local_folders(folders: str) -> None:
    """Create Spark's folders of shuffles, and raise if one of them is not writable.

    Args:
        folders: The setting `spark.local.dir`: paths, separated by commas.

    Raises:
        FruitsError: A folder cannot be created or written to.
    """
    for folder in filter(None, folders.split(",")):
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as exc:
            raise FruitsError(
                f"Found that spark.local.dir = {folder} is not writable "
                f"({exc.strerror}); expected a folder for shuffles and uploads. Change "
                "its permissions, or the setting in conf/<env>/spark.yml."
            ) from exc
