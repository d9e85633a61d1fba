import errno
import os

import pytest
from botocore.exceptions import ClientError
from s3fs.errors import translate_boto_error

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.read_errors import read_error_reason


def s3_error(code: str, message: str = "message") -> OSError:
    """Return the error that s3fs raises for a response."""
    response = {"Error": {"Code": code, "Message": message}}
    error: OSError = translate_boto_error(ClientError(response, "GetObject"))
    return error


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOENT, "deleted after it was listed"),
        (errno.ENOTDIR, "deleted after it was listed"),
        (errno.EACCES, "permission denied; make it readable"),
        (errno.EISDIR, "it is a folder now"),
        (errno.EIO, "check the disk"),
        (errno.EFBIG, "larger than 256 MiB"),
        (errno.ENAMETOOLONG, "cannot be read: file name too long"),
        (errno.ELOOP, "cannot be read: too many levels of symbolic links"),
    ],
)
def test_error_of_a_file_is_a_reason(number: int, reason: str) -> None:
    found = read_error_reason("/photos", OSError(number, os.strerror(number)))
    assert reason in found
    assert "role" not in found


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (s3_error("NoSuchKey"), "deleted after it was listed"),
        (s3_error("AccessDenied"), "allow s3:GetObject"),
        (s3_error("InvalidObjectState"), "archived in S3"),
        (s3_error("KMS.DisabledException"), "KMS key cannot be used"),
        (s3_error("InvalidRequest", "a form of Server Side Encryption"), "SSE-C"),
    ],
)
def test_error_of_an_object_is_a_reason(error: OSError, reason: str) -> None:
    assert reason in read_error_reason("s3://bucket", error)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EMFILE, "Too many open files"),
        OSError(errno.ESTALE, "Stale file handle"),
        OSError(errno.ETIMEDOUT, "Connection timed out"),
        OSError("no number"),
        TimeoutError(),
        *map(s3_error, ["SlowDown", "InternalError", "503", "NoSuchBucket"]),
        *map(s3_error, ["ExpiredToken", "InvalidAccessKeyId", "RequestTimeTooSkewed"]),
        s3_error("InvalidRequest", "something else"),
    ],
)
def test_error_of_the_store_is_raised_with_its_name(error: OSError) -> None:
    with pytest.raises(
        FruitsError, match="Found that /photos cannot be read"
    ) as caught:
        read_error_reason("/photos", error)
    assert "grant" not in str(caught.value)
