"""Pages of keys in S3; those of large prefixes are requested several at a time.

Import this module only for S3: it is slow to import.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from queue import Queue
from threading import Event
from typing import Any

from botocore.exceptions import BotoCoreError

from fruits_pipeline.io.objects import DENIALS, ExactKeys
from fruits_pipeline.io.read_errors import s3_code, store_error

Item = Mapping[str, Any]
Page = Mapping[str, Any]

PAGES_IN_ORDER = 10
"""Pages of 1,000 keys after which the remaining keys are listed in parallel."""

REQUESTS = 8
"""Number of concurrent requests for the remaining keys."""

RANGES = 16
"""Number of key ranges after which no more folders are looked for."""

MAX_DEPTH = 4
"""Levels of folders in which ranges are looked for."""


def list_pages(bucket: str, prefix: str, **options: Any) -> Iterator[Page]:
    """Yield the pages of a listing, with one request each.

    Raises:
        FruitsError: The bucket does not exist, or S3 does not respond.
        PermissionError: The role does not permit to list the bucket.
    """
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


def list_items(bucket: str, prefix: str) -> Iterator[Item]:
    """Yield the descriptions of objects whose key starts with a prefix."""
    last = ""
    pages = list_pages(bucket, prefix, OptionalObjectAttributes=["RestoreStatus"])
    for number, page in enumerate(pages, 1):
        yield from (items := page.get("Contents", []))
        last = items[-1]["Key"] if items else last
        if number == PAGES_IN_ORDER and page.get("IsTruncated"):
            bounds = _find_bounds(bucket, prefix, last)
            yield from _list_ranges(bucket, prefix, bounds)
            return


def _find_bounds(bucket: str, prefix: str, last: str) -> list[str]:
    """Return keys that divide the keys after `last` into ranges, sorted.

    These are folders: of the first level, and of deeper ones if there are few.
    """
    bounds, level = {last}, [prefix]
    for _ in range(MAX_DEPTH):
        level = [f for parent in level[:RANGES] for f in _folders(bucket, parent, last)]
        bounds |= {folder for folder in level if folder > last}
        if len(bounds) > RANGES or not level:
            break
    return sorted(bounds)


def _folders(bucket: str, parent: str, last: str) -> Iterator[str]:
    """Yield up to 1,000 folders of a prefix that contain keys after `last`."""
    start = {"StartAfter": last} if last.startswith(parent) else {}
    page = next(list_pages(bucket, parent, Delimiter="/", **start), {})
    return (folder["Prefix"] for folder in page.get("CommonPrefixes", []))


def _list_ranges(bucket: str, prefix: str, bounds: list[str]) -> Iterator[Item]:
    """Yield the objects after the first bound; ranges are listed at the same time."""
    pages: Queue[list[Item] | BaseException | None] = Queue(2 * REQUESTS)
    stopped = Event()

    def list_range(start: str, end: str | None) -> None:
        try:
            for items in _range_pages(bucket, prefix, start, end):
                if stopped.is_set():
                    return
                pages.put(items)
            pages.put(None)
        except BaseException as exc:  # noqa: BLE001 - raised by the consumer
            pages.put(exc)

    ranges = [*zip(bounds, [*bounds[1:], None], strict=True)]
    with ThreadPoolExecutor(REQUESTS) as pool:
        futures = [pool.submit(list_range, *found) for found in ranges]
        try:
            for _ in ranges:
                while (found := pages.get()) is not None:
                    if isinstance(found, BaseException):
                        raise found
                    yield from found
        finally:
            stopped.set()
            for future in futures:
                future.cancel()
            while wait(futures, timeout=0.05).not_done:
                _drain(pages)


def _drain(pages: Queue[Any]) -> None:
    """Discard pages, so that no thread waits for space in the queue."""
    while not pages.empty():
        pages.get_nowait()


def _range_pages(
    bucket: str, prefix: str, start: str, end: str | None
) -> Iterator[list[Item]]:
    """Yield the objects with keys after `start` and up to `end`, page by page."""
    optional = {"OptionalObjectAttributes": ["RestoreStatus"], "StartAfter": start}
    for page in list_pages(bucket, prefix, **optional):
        items = page.get("Contents", [])
        yield [item for item in items if end is None or item["Key"] <= end]
        if end is not None and items and items[-1]["Key"] > end:
            return
