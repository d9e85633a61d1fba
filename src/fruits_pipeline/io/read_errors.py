"""Reasons why a photo cannot be read, and errors of the store that contains it."""

from __future__ import annotations

import errno
import os

from fruits_pipeline.errors import FruitsError, TransientError, causes
from fruits_pipeline.io.buckets import SOLUTIONS

DELETED = "deleted after it was listed"
CHANGED = "changed after it was listed; the next run reads it again"
DENIED_BY_S3 = (
    "cannot be read: S3 denies access; allow s3:GetObject on it in the role of this "
    "server, and kms:Decrypt on its key if it is encrypted with KMS"
)

S3_REASONS = {
    "NoSuchKey": DELETED,
    "404": DELETED,
    "AccessDenied": DENIED_BY_S3,
    "403": DENIED_BY_S3,
    "InvalidObjectState": "cannot be read: archived in S3 (Glacier or Intelligent-Tiering); "
    "restore it, and run again",
}
"""Reasons by error code of S3. Other codes do not concern a single object."""

LOCAL_REASONS = {
    errno.ENOENT: DELETED,
    errno.ENOTDIR: DELETED,
    errno.EACCES: "cannot be read: permission denied; make it readable (chmod u+r), or "
    "run as a user who may read it",
    errno.EISDIR: "cannot be read: it is a folder now",
    errno.EINVAL: "cannot be read: it is not a regular file",
    errno.EFBIG: "cannot be read: larger than 256 MiB; reduce its size",
    errno.EIO: "cannot be read: input/output error; check the disk",
}
"""Reasons by error number of the operating system."""

STORE_ERRORS = {
    *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE, errno.ETIMEDOUT),
    *(errno.ENOTCONN, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN),
    *(errno.ENETUNREACH, errno.ECONNRESET, errno.ECONNREFUSED, errno.ESHUTDOWN),
}
"""Error numbers of a file server or process, which concern all photos."""


class PhotoError(OSError):
    """An error of one photo, while the store responds. Its text is the reason."""


def read_error_reason(root: str, error: OSError) -> str:
    """Return why a photo cannot be read.

    Args:
        root: Path or URL of the photo root.
        error: The error of reading the photo.

    Raises:
        FruitsError: The error concerns the store, and not only this photo.
    """
    if isinstance(error, PhotoError):
        return str(error)
    code = s3_code(error)
    if code:
        if reason := _s3_reason(code, str(error)):
            return reason
    elif error.errno and error.errno not in STORE_ERRORS:
        text = os.strerror(error.errno).lower()
        return LOCAL_REASONS.get(error.errno, f"cannot be read: {text}")
    raise store_error(root, error)


def _s3_reason(code: str, message: str) -> str | None:
    if code.startswith("KMS."):
        return f"cannot be read: its KMS key cannot be used ({code})"
    if code == "InvalidRequest" and "Server Side Encryption" in message:
        return "cannot be read: encrypted with a key that S3 does not store (SSE-C)"
    return S3_REASONS.get(code)


def s3_code(error: BaseException | None) -> str | None:
    """Return the error code in the response of S3; None if the error has another origin."""
    for cause in causes(error):
        if response := getattr(cause, "response", None):
            return str(response.get("Error", {}).get("Code"))
    return None


def store_error(store: str, error: Exception) -> FruitsError:
    """Return the error for a store that does not deliver files.

    Args:
        store: Path or URL.
        error: The error of a request.
    """
    if isinstance(error, FruitsError):
        return error
    code = s3_code(error) or type(error).__name__
    default = "Check that it exists, the connection and the credentials."
    solution = SOLUTIONS.get(code, default).format(bucket=store.split("/")[2:3])
    is_down = isinstance(error, OSError) and error.errno in STORE_ERRORS
    kind = TransientError if is_down else FruitsError
    return kind(
        f"Found that {store} cannot be read ({_reason(error)}); expected access to "
        f"`photos`. {solution} Then run again: complete batches are kept."
    )


def unavailable_error(location: str, error: BaseException) -> TransientError:
    """Return the error for a store that fails to respond to repeated requests.

    Args:
        location: URL of the bucket or object.
        error: The error of the last request.
    """
    return TransientError(
        f"Found that {location} does not respond ({_reason(error)}) although requests were "
        "repeated; expected a store in operation. Check its status, the network, "
        "AWS_ENDPOINT_URL and proxy variables, and run again later: complete batches are "
        "kept."
    )


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{s3_code(error) or type(error).__name__}: {text}"
