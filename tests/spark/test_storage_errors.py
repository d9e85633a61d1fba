import errno
import os

import pytest
from botocore.exceptions import ClientError
from py4j.protocol import Py4JError
from pyspark.errors import PythonException

from fruits_pipeline.spark.error_messages import is_user_error, user_message


def chained(*errors: Exception) -> Exception:
    """Return the first error, raised from the second, and so on."""
    for error, cause in zip(errors, errors[1:], strict=False):
        error.__cause__ = cause
    return errors[0]


def os_error(number: int, path: str | None = None) -> OSError:
    return OSError(number, os.strerror(number), path)


LOCAL_ERRORS = {
    "of Python": os_error(errno.EACCES, "/data/x"),
    "of PyArrow": PermissionError(
        "[Errno 13] Failed to open local file '/data/x'. Detail: [errno 13] "
        "Permission denied"
    ),
    "of delta-rs": OSError(
        "Could not create local directory: /data/x\n"
        'Error: Os { code: 13, kind: PermissionDenied, message: "Permission denied" }'
    ),
    "of object_store": OSError(
        "Generic LocalFileSystem error: Unable to open file /data/x: "
        "Permission denied (os error 13)"
    ),
    "of a worker": PythonException(
        'Traceback (most recent call last):\n  File "/opt/parts.py", line 1, in run\n'
        "PermissionError: [Errno 13] Permission denied: '/data/x'\n"
    ),
    "of Java's files": Py4JError(
        "An error occurred while calling o5.parquet.\n"
        ": java.nio.file.AccessDeniedException: /data/x\n\tat java.base/X.y(X.java:1)"
    ),
    "of Java's streams": Py4JError(
        "Caused by: java.io.FileNotFoundException: /data/x (Permission denied)\n\tat a.b"
    ),
    "of Hadoop": Py4JError(
        ": java.io.FileNotFoundException: file:/data/x (Permission denied)\n\tat a.b"
    ),
}


@pytest.mark.parametrize("error", LOCAL_ERRORS.values(), ids=LOCAL_ERRORS)
def test_denied_local_file_is_named_without_advice_for_aws(error: Exception) -> None:
    wrapped = chained(RuntimeError("Failed to load s3://fruits/photos"), error)
    message = user_message(wrapped) or ""
    assert message.startswith(
        "Found that /data/x is not accessible (Permission denied)"
    )
    assert "Change its permissions" in message
    assert "role" not in message
    assert is_user_error(wrapped)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (os_error(errno.EROFS, "/data/x"), "Mount the file system writable"),
        (os_error(errno.ENOTDIR, "/data/x"), "A parent folder in the path is a file"),
        (os_error(errno.EISDIR, "/data/x"), "Move the folder that has the name"),
        (os_error(errno.ENAMETOOLONG, "/data/x"), "Choose a shorter path"),
        (os_error(errno.EMFILE, "/data/x"), "ulimit -n"),
        (os_error(errno.EDQUOT, "/data/x"), "enlarge the disk or quota"),
        (os_error(errno.ENOSPC), "enlarge the disk or quota"),
        (
            Py4JError(
                "java.nio.file.FileSystemException: /data/x: Read-only file system"
            ),
            "Found that /data/x is not accessible (Read-only file system)",
        ),
        (OSError("/data/x: File name too long (os error 36)"), "Choose a shorter path"),
    ],
)
def test_error_of_a_local_file_has_a_solution(error: Exception, expected: str) -> None:
    assert expected in (user_message(chained(RuntimeError("node"), error)) or "")


@pytest.mark.parametrize(
    "error", [os_error(errno.ENOENT, "/data/x"), ConnectionRefusedError(111, "refused")]
)
def test_other_errors_of_the_system_have_no_message(error: Exception) -> None:
    assert user_message(error) is None
    assert not is_user_error(error)


DENIED = {"Error": {"Code": "AccessDenied", "Message": "Access Denied"}}
STATED = (
    "User: arn:aws:sts::1:assumed-role/r/i is not authorized to perform: kms:Decrypt on "
    'resource: "arn:aws:kms:eu-west-3:1:key/k" because no identity-based policy allows it'
)
S3_ERRORS = {
    "of s3fs": (
        chained(PermissionError("Access Denied"), ClientError(DENIED, "PutObject")),
        "s3:PutObject on arn:aws:s3:::fruits/x",
    ),
    "of a multipart upload": (
        chained(PermissionError("no"), ClientError(DENIED, "CreateMultipartUpload")),
        "s3:PutObject on arn:aws:s3:::fruits/x",
    ),
    "of a key": (
        chained(
            PermissionError(STATED),
            ClientError(
                {"Error": {"Code": "AccessDenied", "Message": ""}}, "GetObject"
            ),
        ),
        "kms:Decrypt on arn:aws:kms:eu-west-3:1:key/k",
    ),
    "of a worker": (
        PythonException(
            "botocore.exceptions.ClientError: An error occurred (AccessDenied) when "
            "calling the GetObject operation: Access Denied\nPermissionError: Access "
            "Denied\n"
        ),
        "s3:GetObject on arn:aws:s3:::fruits/x",
    ),
    "of Hadoop": (
        Py4JError(
            ": java.nio.file.AccessDeniedException: s3a://fruits/y: getFileStatus on "
            "s3a://fruits/y: software.amazon.awssdk.services.s3.model.S3Exception: "
            "Access Denied (Service: S3, Status Code: 403, Request ID: 1)\n\tat a.b"
        ),
        "s3:GetObject on arn:aws:s3:::fruits/",
    ),
}


@pytest.mark.parametrize(("error", "expected"), S3_ERRORS.values(), ids=S3_ERRORS)
def test_denied_object_is_named_with_its_iam_action(
    error: Exception, expected: str
) -> None:
    wrapped = chained(RuntimeError("DeltaBatches(filepath='s3://fruits/x')"), error)
    message = user_message(wrapped) or ""
    assert f"Found that {expected}" in message
    assert "Grant it to the role" in message
