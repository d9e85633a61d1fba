"""List S3 objects. Import this module only for S3: it is slow to import."""

from __future__ import annotations

from collections.abc import Iterator

from fruits_pipeline.io import left_out
from fruits_pipeline.io.found import FoundEntry, FoundFiles
from fruits_pipeline.io.lease.lease import is_lease
from fruits_pipeline.io.object_pages import Item, list_items, list_pages
from fruits_pipeline.io.objects import ARCHIVE_CLASSES


def list_objects(base: str, root: str | None = None) -> FoundFiles:
    """Return the entries that `walk_objects` yields."""
    return FoundFiles.of(walk_objects(base, root))


def walk_objects(base: str, root: str | None = None) -> Iterator[FoundEntry]:
    """List the objects below a prefix, in any order.

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
    prefix = f"{prefix}/" if prefix else ""
    excluded = f"{root}/" if root and root.startswith(f"{base}/") else None
    is_empty = True
    for item in list_items(bucket, prefix):
        is_empty = False
        name, path = f"{bucket}/{item['Key']}", item["Key"][len(prefix) :]
        if excluded and name.startswith(excluded):
            if not is_lease(name):
                yield FoundEntry(path, reason=left_out.BELOW_ROOT)
        elif path:  # else the marker of the prefix itself
            yield _found_entry(path, item)
    if is_empty:
        key = prefix.rstrip("/")
        page = next(list_pages(bucket, key, MaxKeys=1), {})
        is_object = any(item["Key"] == key for item in page.get("Contents", []))
        raise (NotADirectoryError if is_object else FileNotFoundError)(base)


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
    for page in list_pages(bucket, prefix, Delimiter="/"):
        keys = [item["Key"] for item in page.get("Contents", [])]
        folders = [item["Prefix"] for item in page.get("CommonPrefixes", [])]
        names |= {path[len(prefix) :].rstrip("/") for path in keys + folders}
    return names - {""}  # the marker of the prefix itself


def _found_entry(path: str, item: Item) -> FoundEntry:
    etag = item.get("ETag", "").strip('"') or None
    modified_at, is_archived = item["LastModified"], _is_archived(item)
    return FoundEntry(path, item["Size"], modified_at, etag, is_archived)


def _is_archived(item: Item) -> bool:
    """Return whether an object is archived and no restored copy exists."""
    restored = item.get("RestoreStatus", {})
    is_restored = "RestoreExpiryDate" in restored
    return item.get("StorageClass") in ARCHIVE_CLASSES and not is_restored
