"""`io.conditional` for S3 objects, with conditional requests.

Import this module only for S3: it is slow to import.
"""

from __future__ import annotations

from typing import Any

from s3fs import S3FileSystem

from fruits_pipeline.errors import FruitsError, s3_access_denied_message
from fruits_pipeline.io.conditional import ChangedFileError, StoredFile
from fruits_pipeline.io.files import resolve

CONFLICTS = {
    *("PreconditionFailed", "412"),
    *("ConditionalRequestConflict", "409"),
    *("NoSuchKey", "404"),  # the object of `If-Match` was deleted
}
"""Error codes of S3 for a condition that is not true."""

IAM_ACTIONS = {"put_object": "s3:PutObject", "delete_object": "s3:DeleteObject"}
"""IAM action that permits an operation."""


def read_object(url: str) -> StoredFile | None:
    """Return the content and ETag of an object; None if it does not exist."""
    file_system, path = resolve(url)
    try:
        # First the ETag: if the object is replaced between the requests, it is outdated,
        # and a later conditional request fails.
        etag = file_system.info(path, refresh=True)["ETag"]
        return StoredFile(bytes(file_system.cat_file(path)), etag)
    except FileNotFoundError:
        return None
    except PermissionError as exc:
        raise _denied("s3:GetObject", path, exc) from exc


def put_object(url: str, content: bytes, old: StoredFile | None) -> StoredFile:
    """Write an object, if its ETag is that of `old`, or if there is none.

    Raises:
        ChangedFileError: The object is not `old`.
    """
    condition = {"IfMatch": old.etag} if old else {"IfNoneMatch": "*"}
    try:
        response = _call("put_object", url, Body=content, **condition)
    except ChangedFileError:
        # The request was repeated if its first response was lost.
        stored = read_object(url)
        if stored is None or stored.content != content:
            raise
        return stored
    return StoredFile(content, response["ETag"])


def delete_object(url: str, old: StoredFile) -> None:
    """Delete an object, if its ETag is that of `old`.

    Raises:
        ChangedFileError: The object is not `old`.
    """
    _call("delete_object", url, IfMatch=old.etag)


def _call(operation: str, url: str, **arguments: Any) -> Any:
    """Send a conditional request.

    Raises:
        ChangedFileError: The condition is not true.
    """
    file_system: S3FileSystem
    file_system, path = resolve(url)
    bucket, _, key = path.partition("/")
    try:
        return file_system.call_s3(operation, Bucket=bucket, Key=key, **arguments)
    except OSError as exc:
        response = getattr(exc.__cause__, "response", {})
        if response.get("Error", {}).get("Code") in CONFLICTS:
            raise ChangedFileError(url) from exc
        if isinstance(exc, PermissionError):
            raise _denied(IAM_ACTIONS[operation], path, exc) from exc
        raise
    finally:
        file_system.invalidate_cache(path)


def _denied(action: str, path: str, exc: PermissionError) -> Exception:
    """Return the error for a request that is not permitted, or of wrong credentials."""
    error = getattr(exc.__cause__, "response", {}).get("Error", {})
    if error.get("Code") in {"AccessDenied", "AllAccessDisabled", "403"}:
        return FruitsError(s3_access_denied_message(action, f"arn:aws:s3:::{path}"))
    return exc
