"""Read a list of objects that S3 Inventory has written, instead of listing a bucket.

Format: https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fruits_pipeline import schemas
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.files import read_file, resolve

COLUMNS = {"size": "Size", "last_modified_date": "Last modified date"}
"""Optional columns of an inventory that are required here, with their names in S3."""

BATCH_ROWS = 16_384
"""Rows of a file that are in memory at once."""

ADVICE = (
    "Configure the inventory with the format Apache Parquet and the metadata Size, Last "
    "modified date, ETag and Storage class, or omit `inventory` to list the bucket."
)


@dataclass(frozen=True)
class InventoryFile:
    """A data file of an inventory: URL, and MD5 digest as hexadecimal digits."""

    url: str
    md5: str


@dataclass(frozen=True)
class Inventory:
    """An inventory of a bucket.

    Attributes:
        manifest: URL of its `manifest.json`.
        bucket: The bucket that it describes.
        created_at: Time at which S3 has begun to list the bucket.
        files: Its data files.
    """

    manifest: str
    bucket: str
    created_at: datetime
    files: Sequence[InventoryFile]

    def tables(self, base: str, archive_classes: Sequence[str]) -> Iterator[pa.Table]:
        """Yield `schemas.LISTED` rows of the newest versions below a prefix.

        Keys are relative to the prefix, and not decoded: only inventories in CSV have
        URL-encoded keys.

        Args:
            base: `bucket/prefix` or `bucket`, without a slash at the end.
            archive_classes: Storage classes of archived objects.

        Raises:
            FruitsError: A file is damaged, or lacks a column.
        """
        prefix = base.partition("/")[2]
        prefix = f"{prefix}/" if prefix else ""
        for file in self.files:
            with tempfile.TemporaryFile() as content:
                _download(file, content)
                for rows in self._read(file, content):
                    yield _to_listing(rows, prefix, archive_classes)

    def _read(self, file: InventoryFile, content: IO[bytes]) -> Iterator[pa.Table]:
        try:
            stored = pq.ParquetFile(content)
            names = stored.schema_arrow.names
            if missing := [title for n, title in COLUMNS.items() if n not in names]:
                raise FruitsError(
                    f"Found the inventory {self.manifest} without {', '.join(missing)}; "
                    f"expected this metadata. {ADVICE}"
                )
            for batch in stored.iter_batches(BATCH_ROWS, use_threads=False):
                yield pa.Table.from_batches([batch])
        except (pa.ArrowException, OSError) as exc:
            raise FruitsError(
                f"Found {file.url} unreadable ({exc}); expected a Parquet file of S3 "
                f"Inventory. {ADVICE}"
            ) from exc


def open_inventory(manifest: str) -> Inventory:
    """Read the manifest of an inventory, and compare it with its checksum.

    Args:
        manifest: URL of `manifest.json`.

    Raises:
        FruitsError: It is missing or damaged, or the inventory has another format.
    """
    content = _read_manifest(manifest)
    try:
        values: dict[str, Any] = json.loads(content)
        file_format = values["fileFormat"]
        bucket = values["destinationBucket"].rpartition(":")[2]
        files = [
            InventoryFile(f"s3://{bucket}/{file['key']}", file["MD5checksum"])
            for file in values["files"]
        ]
        created_at = datetime.fromtimestamp(int(values["creationTimestamp"]) / 1e3, UTC)
        inventory = Inventory(manifest, values["sourceBucket"], created_at, files)
    except (ValueError, LookupError, TypeError, AttributeError) as exc:
        raise FruitsError(
            f"Found {manifest} without the fields of a manifest ({exc!r}); expected the "
            "manifest.json of S3 Inventory. Set `inventory` to its URL."
        ) from exc
    if file_format != "Parquet":
        raise FruitsError(
            f"Found the inventory {manifest} in the format {file_format}; expected "
            f"Parquet. {ADVICE}"
        )
    return inventory


def _read_manifest(manifest: str) -> bytes:
    checksum = re.sub(r"\.json$", ".checksum", manifest)
    try:
        content = read_file(manifest)
        expected = read_file(checksum).decode(errors="replace").strip()
    except FileNotFoundError as exc:
        raise FruitsError(
            f"Found no {manifest}, or no manifest.checksum beside it; expected these files "
            "of S3 Inventory, which are written when an inventory is complete. Set "
            "`inventory` to the URL of manifest.json."
        ) from exc
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != expected:
        raise FruitsError(
            f"Found {manifest} with the MD5 {found}; expected {expected}, as "
            "manifest.checksum states. Run again, or set `inventory` to another manifest."
        )
    return content


def _download(file: InventoryFile, target: IO[bytes]) -> None:
    """Copy a data file, and compare it with its checksum."""
    file_system, path = resolve(file.url)
    try:
        with file_system.open(path, "rb", cache_type="readahead") as source:
            shutil.copyfileobj(source, target, 2**20)
    except FileNotFoundError as exc:
        raise FruitsError(
            f"Found no {file.url}; expected the file that the manifest of the inventory "
            "lists. Set `inventory` to a newer manifest."
        ) from exc
    target.seek(0)
    found = hashlib.file_digest(target, _md5).hexdigest()  # type: ignore[arg-type]
    if found != file.md5:
        raise FruitsError(
            f"Found {file.url} with the MD5 {found}; expected {file.md5}, as the manifest "
            "states. Run again, or set `inventory` to another manifest."
        )


def _md5() -> Any:
    return hashlib.md5(usedforsecurity=False)


def _to_listing(
    rows: pa.Table, prefix: str, archive_classes: Sequence[str]
) -> pa.Table:
    """Return the `schemas.LISTED` rows of the newest versions below a prefix."""
    names = rows.column_names
    kept = pc.starts_with(rows["key"], prefix)
    if "is_latest" in names:  # inventories of all versions
        kept = pc.and_(kept, pc.fill_null(rows["is_latest"], True))
    if "is_delete_marker" in names:
        is_marker = pc.fill_null(rows["is_delete_marker"], False)
        kept = pc.and_not(kept, is_marker)
    rows = rows.filter(kept)
    absent = pa.nulls(len(rows), pa.string())
    storage_class = rows["storage_class"] if "storage_class" in names else absent
    is_archived = pc.is_in(storage_class, pa.array(archive_classes, pa.string()))
    etags = rows["e_tag"] if "e_tag" in names else absent
    columns = [
        pc.utf8_slice_codeunits(rows["key"], len(prefix)),
        rows["size"],
        _in_utc(rows["last_modified_date"]),
        pc.utf8_trim(etags, '"'),
        is_archived,
    ]
    return pa.table(
        [
            column.cast(kind.type)
            for column, kind in zip(columns, schemas.LISTED, strict=True)
        ],
        schema=schemas.LISTED,
    )


def _in_utc(times: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return timestamps with the time zone UTC, which Parquet may not state."""
    if times.type.tz is None:
        return pc.assume_timezone(times, "UTC")
    return times
