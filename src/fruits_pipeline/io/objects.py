"""List and read S3 objects by their exact keys.

`S3FileSystem` changes some keys: it removes empty components of a path, and takes
`?versionId=` in a key for a version. Import this module only for S3: it is slow to import.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError
from fsspec.asyn import sync

from fruits_pipeline.io import exclusions
from fruits_pipeline.io.files import FileContent
from fruits_pipeline.io.folders import FoundFiles
from fruits_pipeline.io.lease.lease import is_lease
from fruits_pipeline.io.listing import ListedFile
from fruits_pipeline.io.object_reading import ObjectReader
from fruits_pipeline.io.read_errors import s3_code, store_error
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


def list_objects(base: str, root: str | None = None) -> FoundFiles:
    """List the objects below a prefix.

    Args:
        base: `bucket/prefix` or `bucket`, without a slash at the end.
        root: `bucket/prefix` of objects that are left out.

    Raises:
        FileNotFoundError: There are no objects below the prefix.
        NotADirectoryError: There is only an object with exactly this key.
        FruitsError: The bucket does not exist, or S3 does not respond.
        PermissionError: The role does not permit to list the bucket.
    """
    bucket, _, prefix = base.partition("/")
    excluded = f"{root}/" if root and root.startswith(f"{base}/") else None
    found, is_empty = FoundFiles(), True
    for item in _list_items(bucket, f"{prefix}/" if prefix else ""):
        is_empty = False
        name = f"{bucket}/{item['Key']}"
        path = name[len(base) + 1 :]
        if excluded and name.startswith(excluded):
            if not is_lease(name):
                found.leave_out(path, exclusions.BELOW_ROOT)
        elif path:  # else the marker of the prefix itself
            found.files.append(_listed_file(path, item))
            if _is_archived(item):
                found.archived.add(path)
    if is_empty:
        is_object = any(item["Key"] == prefix for item in _list_items(bucket, prefix))
        raise (NotADirectoryError if is_object else FileNotFoundError)(base)
    return found


def list_names(base: str) -> set[str]:
    """Return the names directly below a prefix; one request returns the first 1,000.

    Args:
        base: `bucket/prefix` or `bucket`, without a slash at the end.

    Raises:
        FruitsError: The bucket does not exist, or S3 does not respond.
        PermissionError: The role does not permit to list the bucket.
    """
    bucket, _, key = base.partition("/")
    prefix = f"{key}/" if key else ""
    names: set[str] = set()
    for page in _list_pages(bucket, prefix, Delimiter="/"):
        keys = [item["Key"] for item in page.get("Contents", [])]
        folders = [item["Prefix"] for item in page.get("CommonPrefixes", [])]
        names |= {path[len(prefix) :].rstrip("/") for path in keys + folders}
    return names - {""}  # the marker of the prefix itself


def _listed_file(path: str, item: Mapping[str, Any]) -> ListedFile:
    etag = item.get("ETag", "").strip('"') or None
    return ListedFile(path, item["Size"], item["LastModified"], etag)


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


def _list_items(bucket: str, prefix: str) -> Iterator[Mapping[str, Any]]:
    """Yield the descriptions of objects whose key starts with a prefix, sorted by key."""
    for page in _list_pages(bucket, prefix, OptionalObjectAttributes=["RestoreStatus"]):
        yield from page.get("Contents", [])


def _list_pages(
    bucket: str, prefix: str, **options: Any
) -> Iterator[Mapping[str, Any]]:
    """Yield the pages of a listing, with one request each."""
    file_system = ExactKeys()
    request: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix, **options}
    while True:
        try:
            page = file_system.call_s3("list_objects_v2", **request)
        except (OSError, BotoCoreError) as exc:
            if s3_code(exc) in DENIALS:
                raise
            raise store_error(f"s3://{bucket}", exc) from exc
        yield page
        if not page.get("IsTruncated"):
            return
        request["ContinuationToken"] = page["NextContinuationToken"]


def _is_archived(item: Mapping[str, Any]) -> bool:
    """Return whether an object is archived and no restored copy exists."""
    restored = item.get("RestoreStatus", {})
    is_restored = "RestoreExpiryDate" in restored
    return item.get("StorageClass") in ARCHIVE_CLASSES and not is_restored
