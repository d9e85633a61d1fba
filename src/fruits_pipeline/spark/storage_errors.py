"""Messages for errors of local files and of S3, from Python, Java and Rust libraries."""

from __future__ import annotations

import errno
import re
from collections.abc import Sequence

from fruits_pipeline.errors import (
    file_error_message,
    file_error_number,
    s3_access_denied_message,
)

S3_ACTIONS = {
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "ListObjects": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "PutObject": "s3:PutObject",
    "CopyObject": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "DeleteObject": "s3:DeleteObject",
    "DeleteObjects": "s3:DeleteObject",
    # Operations of Hadoop's client.
    "getFileStatus": "s3:GetObject",
    "open": "s3:GetObject",
    "read": "s3:GetObject",
    "list": "s3:ListBucket",
    "put": "s3:PutObject",
    "delete": "s3:DeleteObject",
}
"""IAM action that an S3 operation requires.

Source: AWS, "Actions, resources, and condition keys for Amazon S3".
"""


PATHS = (
    re.compile(r"[Ee]rrno \d+\] [^'\n]*'(/[^'\n]+)'"),
    re.compile(
        r"(?:Exception:|directory:?|file:?) (?:file:)?(/[^\n]+?)(?: \(|: |\n|$)",
        re.MULTILINE,
    ),
    re.compile(r"['\"](/[^'\"\n]+)['\"]"),
)
"""Paths in messages of Python, Java and Rust, and in other quotes."""


def storage_message(
    errors: Sequence[BaseException], texts: Sequence[str]
) -> str | None:
    """Return the message for a file or object that is not accessible, if this is why.

    Args:
        errors: An error and its causes.
        texts: Messages of those among them that can be of storage.
    """
    text = "\n".join(texts)
    if _is_s3_denial(errors, text):
        return _s3_message(errors, text)
    for error in errors:
        if isinstance(error, OSError) and error.errno and error.filename:
            return file_error_message(str(error.filename), error.errno)
    number = file_error_number(text)
    if number is None and "nio.file.AccessDeniedException: " in text:
        number = errno.EACCES
    return file_error_message(_path_in(errors, text), number) if number else None


def _is_s3_denial(errors: Sequence[BaseException], text: str) -> bool:
    if any(isinstance(e, OSError) and _is_local(e.filename) for e in errors):
        return False
    in_java = re.search(
        r"AccessDeniedException: s3a?://|S3Exception: .*Code: 403", text
    )
    in_worker = re.search(
        r"\((?:AccessDenied|AllAccessDisabled|403)\) when calling", text
    )
    is_denied = any(isinstance(error, PermissionError) for error in errors)
    is_response = any(hasattr(error, "operation_name") for error in errors)
    is_remote = is_response or (_urls(errors) and not file_error_number(text))
    return bool(in_java or in_worker or (is_denied and is_remote))


def _is_local(filename: object) -> bool:
    return filename is not None and "://" not in str(filename)


def _urls(errors: Sequence[BaseException]) -> list[str]:
    return re.findall(r"s3a?://([^\s'\",)]+)", "\n".join(map(str, errors)))


def _s3_message(errors: Sequence[BaseException], text: str) -> str:
    """Return a message with the denied action and resource, if the errors contain them."""
    whole = "\n".join([text, *map(str, errors)])
    stated = re.search(r'to perform: (\w+:\w+) on resource: "?(arn:[^\s"]+)', whole)
    if stated:
        return s3_access_denied_message(*stated.groups())
    operations = [getattr(error, "operation_name", None) for error in errors]
    operations += re.findall(r"when calling the (\w+) operation", whole)
    operations += re.findall(r"s3a?://\S+: (\w+) on s3a?://", whole)
    operation = next(filter(None, operations), "access")
    urls = [url.rstrip(":.") for url in _urls([*errors, Exception(text)])]
    resource = f"arn:aws:s3:::{urls[0]}" if urls else str(errors[-1])
    return s3_access_denied_message(S3_ACTIONS.get(operation, operation), resource)


def _path_in(errors: Sequence[BaseException], text: str) -> str:
    """Return the first path in the messages of errors; the whole text if there is none."""
    whole = "\n".join([text, *map(str, errors)])
    found = next(filter(None, (pattern.search(whole) for pattern in PATHS)), None)
    return found[1] if found else " ".join(text.split())
