"""Folders for temporary files of Spark."""

from __future__ import annotations

import os
import pwd
import tempfile
from collections.abc import Iterator, MutableMapping
from contextlib import suppress
from pathlib import Path

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.spark.run_folders import run_folder

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


def socket_folder() -> str | None:
    """Return the folder of this run for Unix sockets.

    Returns:
        The path; None if no writable folder has a path that is short enough.
    """
    for parent in (temporary_folder(), "/tmp", "/dev/shm", "/var/tmp"):  # noqa: S108 - the folder in it has a random name
        name = f"/fruits-{os.getpid()}-12345678"
        if len(os.fsencode(parent + name)) <= MAX_SOCKET_FOLDER:
            with suppress(OSError):
                return str(run_folder(parent))
    return None


def set_home(environ: MutableMapping[str, str] = os.environ) -> None:
    """Set `HOME` to the temporary folder if this user has none, as in containers.

    Libraries fail when they look for their configuration in it.
    """
    if not os.path.isabs(os.path.expanduser("~")):
        environ["HOME"] = temporary_folder()


def folder_options() -> Iterator[str]:
    """Yield the JVM options of folders.

    Java ignores `TMPDIR` and `HOME`: it uses `/tmp`, and the home folder in passwd.
    """
    yield f"-Djava.io.tmpdir={run_folder(temporary_folder())}"
    yield "-XX:-UsePerfData"  # a file in /tmp for monitoring tools
    if not os.access(_passwd_home(), os.W_OK):
        home = os.environ.get("HOME", "")
        writable = home if os.access(home, os.W_OK) else temporary_folder()
        yield f"-Duser.home={writable}"


def _passwd_home() -> str:
    return pwd.getpwuid(os.getuid()).pw_dir if has_passwd_entry() else ""


def has_passwd_entry() -> bool:
    """Return whether the current user has an entry in the password database."""
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        return False
    return True


def local_folder_settings(folders: str) -> dict[str, str]:
    """Return the settings of the folders for Spark's shuffles and uploads in this run.

    Args:
        folders: The setting `spark.local.dir`: paths, separated by commas. They are
            created. If it is empty, Spark uses the temporary folder of Java.

    Raises:
        FruitsError: A folder cannot be created or written to.
    """
    created = [_local_folder(folder) for folder in filter(None, folders.split(","))]
    settings = {"spark.local.dir": ",".join(created)} if created else {}
    first = created[0] if created else str(run_folder(temporary_folder()))
    return settings | {
        "spark.hadoop.hadoop.tmp.dir": first,
        "spark.executorEnv.TMPDIR": first,  # of Python workers
    }


def _local_folder(parent: str) -> str:
    try:
        Path(parent).mkdir(parents=True, exist_ok=True)
        return str(run_folder(parent))
    except OSError as exc:
        raise FruitsError(
            f"Found that spark.local.dir = {parent} is not writable ({exc.strerror}); "
            "expected a folder for shuffles and uploads. Change its permissions, or the "
            "setting in conf/<env>/spark.yml."
        ) from exc
