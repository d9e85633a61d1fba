"""The listing of a photo root according to S3 Inventory."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline.datasets.photo_listing import ListedFiles, Listing
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.files import is_local
from fruits_pipeline.io.inventory import Inventory, open_inventory
from fruits_pipeline.io.lease.lease import is_lease
from fruits_pipeline.io.left_out import BELOW_ROOT, LeftOut

logger = logging.getLogger(__name__)


def read_inventory(
    manifest: str, photo_root: str, base: str, root: str | None
) -> Listing:
    """Return the objects below the photo root that an inventory contains.

    Args:
        manifest: URL of the `manifest.json`.
        photo_root: URL of the photo root.
        base: `bucket/prefix` of the photo root.
        root: `bucket/prefix` of the tables, whose objects are left out.

    Raises:
        FruitsError: The inventory is missing, damaged, or that of another bucket.
    """
    inventory = open_inventory(manifest)
    bucket = base.partition("/")[0]
    if is_local(photo_root) or inventory.bucket != bucket:
        raise FruitsError(
            f"Found the inventory {manifest} of the bucket {inventory.bucket}; expected "
            f"that of `photos` = {photo_root}. Set another `inventory`, or none."
        )
    _warn_of_age(inventory)
    # Imported here because it is slow to import, and only needed for S3.
    from fruits_pipeline.io.objects import ARCHIVE_CLASSES

    left_out = LeftOut()
    tables = inventory.tables(base, sorted(ARCHIVE_CLASSES))
    if root and root.startswith(f"{base}/"):
        tables = _without_prefix(tables, f"{root.removeprefix(f'{base}/')}/", left_out)
    files = ListedFiles(_without_marker(tables))
    if not files and not left_out:
        raise FruitsError(
            f"Found no object below {photo_root} in the inventory {manifest}; expected "
            "photos. Set the prefix with --params photos=..., or a newer `inventory`."
        )
    return Listing(photo_root, files, left_out, complete_until=inventory.created_at)


def _warn_of_age(inventory: Inventory) -> None:
    hours = (datetime.now(UTC) - inventory.created_at).total_seconds() / 3600
    logger.warning(
        "Reading the inventory %s instead of listing s3://%s: it was made %s, %.0f hours "
        "ago. Photos that were added, changed or deleted since are found with a newer one",
        inventory.manifest,
        inventory.bucket,
        f"{inventory.created_at:%Y-%m-%d %H:%M} UTC",
        hours,
    )


def _without_prefix(
    tables: Iterable[pa.Table], prefix: str, left_out: LeftOut
) -> Iterator[pa.Table]:
    """Yield the rows outside a folder; add the others to `left_out`."""
    for rows in tables:
        is_below = pc.starts_with(rows["path"], prefix)
        for path in rows["path"].filter(is_below).to_pylist():
            if not is_lease(path):
                left_out.add(path, BELOW_ROOT)
        yield rows.filter(pc.invert(is_below))


def _without_marker(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield the rows without the marker of the prefix itself."""
    for rows in tables:
        yield rows.filter(pc.not_equal(rows["path"], ""))
