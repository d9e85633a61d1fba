"""`FruitsError`, and the messages of errors of storage that several packages raise."""

import errno
import os
import re
from collections.abc import Iterator


class FruitsError(Exception):
    """An error that a user can fix.

    The message states what was found, what was expected, and which setting to change.
    """


class TransientError(FruitsError):
    """An error that the same command may not have later, without any change."""


REPAIR = (
    "Repair the tables with `make mend`, that is `kedro run --pipelines mend`, and the same "
    "--params; `make check` lists all damage."
)
"""The solution of damaged files below `root`."""


def s3_access_denied_message(action: str, resource: str) -> str:
    """Return the message for a request to S3 that the IAM role does not permit.

    Args:
        action: IAM action, such as `s3:GetObject`.
        resource: ARN of the bucket or object, or the error of S3 if the ARN is unknown.
    """
    return (
        f"Found that {action} on {resource} is denied; expected permission to list and "
        "read photos, and to list, read, write and delete tables. Grant it to the role of "
        "this server, as deploy/template.yaml does."
    )


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and the errors that it was raised from, each once.

    An error that is raised from itself is its own cause.
    """
    found: set[int] = set()
    while error is not None and id(error) not in found:
        found.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


NO_SPACE_MESSAGE = (
    "Found no space left on device; expected space for shuffles, uploads and tables. "
    "Delete files, enlarge the disk or quota (DiskGiB in deploy/template.yaml), or move "
    "spark.local.dir in conf/<env>/spark.yml."
)

FILE_SOLUTIONS = {
    errno.EACCES: "Change its permissions, or choose another path.",
    errno.EPERM: "Change its permissions, or choose another path.",
    errno.EROFS: "Mount the file system writable, or choose another path.",
    errno.ENOTDIR: "A parent folder in the path is a file: choose another path.",
    errno.EISDIR: "Move the folder that has the name of this file.",
    errno.ENAMETOOLONG: "Choose a shorter path.",
    errno.ELOOP: "Correct the symbolic link that points to itself.",
    errno.EMFILE: "Raise the limit of open files with `ulimit -n`.",
    errno.ENFILE: "Raise the limit of open files with `sysctl fs.file-max`.",
    errno.EIO: "Check the disk or the network drive.",
    errno.ESTALE: "Mount the network drive again.",
}
"""Solutions of errors of local files by number, except those of a full disk."""


def file_error_message(path: str, number: int) -> str | None:
    """Return the message for a local file that cannot be read or written.

    Args:
        path: Path of the file or folder.
        number: Error number of the operating system, such as `errno.EACCES`.

    Returns:
        The message; None for an error that a user cannot fix.
    """
    if number in (errno.ENOSPC, errno.EDQUOT):
        return NO_SPACE_MESSAGE
    if number not in FILE_SOLUTIONS:
        return None
    return (
        f"Found that {path} is not accessible ({os.strerror(number)}); expected to read "
        "`photos`, and to read, write and delete files in `root`. "
        f"{FILE_SOLUTIONS[number]}"
    )


def file_error_number(text: str) -> int | None:
    """Return the error number in a message of Python, Java or Rust; None if there is none.

    Args:
        text: For example `[Errno 13] Permission denied: '/x'`, `... (os error 13)`, or
            `java.io.FileNotFoundException: /x (Permission denied)`.
    """
    known = (*FILE_SOLUTIONS, errno.ENOSPC, errno.EDQUOT)
    numbers = re.findall(r"(?:[Ee]rrno |os error |Os \{ code: )(\d+)", text)
    by_number = [int(n) for n in numbers if int(n) in known]
    by_name = [n for n in known if os.strerror(n) in text]
    return next(iter(by_number + by_name), None)
