"""Read S3 objects by their exact keys.

`S3FileSystem` changes some keys: it removes empty components of a path, and takes
`?versionId=` in a key for a version. Import this module only for S3: it is slow to import.
"""

from __future__ import annotations

from collections.abc import Sequence

from fsspec.asyn import sync

from fruits_pipeline.io.files import FileContent
from fruits_pipeline.io.listing import ListedFile
from fruits_pipeline.io.object_reading import ObjectReader
from fruits_pipeline.io.s3 import PatientS3

ARCHIVE_CLASSES = {"GLACIER", "DEEP_ARCHIVE"}
"""Storage classes of objects that must be restored before they can be read."""

DENIALS = {"AccessDenied", "AllAccessDisabled", "403"}
"""Error codes of a missing permission, unlike those of invalid credentials."""


class ExactKeys(PatientS3):
    """S3 with paths `bucket/key`, where the key is not interpreted."""

    def split_path(self, path: str) -> tuple[str, str, str | None]:
        """Return bucket, key and version of a path; the version is None."""
        bucket, _, key = path.partition("/")
        return bucket, key, None


def read_objects(
    url: str,
    files: Sequence[ListedFile],
    requests_in_flight: int,
    is_repeated: bool = False,
) -> list[FileContent]:
    """Read objects, with one request each if there is no fault.

    Args:
        url: `s3://bucket/prefix`.
        files: Listed objects below the prefix.
        requests_in_flight: Maximum number of concurrent requests.
        is_repeated: Whether an earlier attempt to read these objects has failed.

    Returns:
        The content of each object, or the error of reading it.

    Raises:
        FruitsError: S3 does not respond, or rejects the credentials.
    """
    base = url.removeprefix("s3://").rstrip("/")
    connections = {"max_pool_connections": requests_in_flight}  # 10 by default
    file_system = ExactKeys(config_kwargs=connections)
    reader = ObjectReader(file_system, base, requests_in_flight, is_repeated)
    found: list[FileContent] = sync(file_system.loop, reader.read, files)
    return found
