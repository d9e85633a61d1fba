"""List and read S3 objects by their exact keys.

`S3FileSystem` changes some keys: it removes empty components of a path, and takes
`?versionId=` in a key for a version. Import this module only for S3: it is slow to import.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aiohttp import ClientError
from botocore.exceptions import BotoCoreError
from s3fs import S3FileSystem

from fruits_pipeline.io import exclusions
from fruits_pipeline.io.files import s3_options
from fruits_pipeline.io.folders import FoundFiles
from fruits_pipeline.io.listing import ListedFile
from fruits_pipeline.io.read_errors import store_error

ARCHIVE_CLASSES = {"GLACIER", "DEEP_ARCHIVE"}
"""Storage classes of objects that must be restored before they can be read."""


class ExactKeys(S3FileSystem):  # type: ignore[misc]
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
            found.leave_out(path, exclusions.BELOW_ROOT)
        elif path:  # else the marker of the prefix itself
            found.files.append(_listed_file(path, item))
            if _is_archived(item):
                found.archived.add(path)
    if is_empty:
        is_object = any(item["Key"] == prefix for item in _list_items(bucket, prefix))
        raise (NotADirectoryError if is_object else FileNotFoundError)(base)
    return found


def _listed_file(path: str, item: Mapping[str, Any]) -> ListedFile:
    etag = item.get("ETag", "").strip('"') or None
    return ListedFile(path, item["Size"], item["LastModified"], etag)


def read_objects(
    url: str, paths: Sequence[str], requests_in_flight: int
) -> list[bytes | OSError]:
    """Read objects, with one request each.

    Args:
        url: `s3://bucket/prefix`.
        paths: Keys relative to the prefix.
        requests_in_flight: Maximum number of concurrent requests.

    Returns:
        The content of each object, or the error of reading it.

    Raises:
        FruitsError: S3 does not respond.
    """
    base = url.removeprefix("s3://").rstrip("/")
    found = ExactKeys(**s3_options(requests_in_flight)).cat_ranges(
        [f"{base}/{path}" for path in paths],
        None,
        None,
        on_error="return",
        batch_size=requests_in_flight,
    )
    for content in found:
        if isinstance(content, BotoCoreError | ClientError):
            raise store_error(url, content) from content
        if isinstance(content, Exception) and not isinstance(content, OSError):
            raise content
    return list(found)


def _list_items(bucket: str, prefix: str) -> Iterator[Mapping[str, Any]]:
    """Yield the descriptions of objects whose key starts with a prefix, sorted by key."""
    file_system = ExactKeys()
    request: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix}
    request["OptionalObjectAttributes"] = ["RestoreStatus"]
    while True:
        try:
            page = file_system.call_s3("list_objects_v2", **request)
        except PermissionError:
            raise
        except (OSError, BotoCoreError) as exc:
            raise store_error(f"s3://{bucket}", exc) from exc
        yield from page.get("Contents", [])
        if not page.get("IsTruncated"):
            return
        request["ContinuationToken"] = page["NextContinuationToken"]


def _is_archived(item: Mapping[str, Any]) -> bool:
    """Return whether an object is archived and no restored copy exists."""
    restored = item.get("RestoreStatus", {})
    is_restored = "RestoreExpiryDate" in restored
    return item.get("StorageClass") in ARCHIVE_CLASSES and not is_restored
