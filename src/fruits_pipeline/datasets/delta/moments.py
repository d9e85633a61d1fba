"""The dataset of the moments of all batches, which are merged as a tree."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq

from fruits_pipeline import schemas
from fruits_pipeline.datasets.delta.files import list_sizes
from fruits_pipeline.datasets.delta.log import Batches, DeltaLog
from fruits_pipeline.datasets.delta.views import DeltaView
from fruits_pipeline.io.files import read_file, resolve, write_atomically
from fruits_pipeline.io.lease.held import check_lease
from fruits_pipeline.models.moment_tree import MomentTree
from fruits_pipeline.models.moments import Moments, merge_all
from fruits_pipeline.spark.arrow import moments_row, unpack_moments
from fruits_pipeline.spark.parquet import READ_ERRORS, read_rows

logger = logging.getLogger(__name__)


class DeltaMoments(DeltaView[MomentTree]):
    """The moments of all batches, from the table `moments`.

    Merged moments are stored in the folder `moments_totals` beside the table.
    """

    def load(self) -> MomentTree:
        """Return the tree; no moments are read.

        Raises:
            FruitsError: There is no table, or a file is missing or truncated.
        """
        return moment_tree(self._load_log())


def moment_tree(log: DeltaLog) -> MomentTree:
    """Return the moments of a table; none are read."""
    keys = {
        name: "\n".join(file.path for file in files)
        for name, files in log.batches.items()
    }
    read = partial(_read_batch, log.location, log.batches)
    return MomentTree(keys, read, TotalsFolder.of(log.location))


def _read_batch(location: str, batches: Batches, name: str) -> Moments:
    return merge_all(
        moments
        for file in batches[name]
        for rows in read_rows(f"{location}/{file.path}", schemas.MOMENTS)
        for moments in unpack_moments(rows)
    )


@dataclass(frozen=True)
class TotalsFolder:
    """A folder with the moments of nodes, one Parquet file each, with checksums.

    The files can be deleted at any time: they are computed again.

    Attributes:
        location: Path or URL of the folder.
    """

    location: str

    @classmethod
    def of(cls, table: str) -> TotalsFolder:
        """Return the folder of a table `moments`, given its path or URL."""
        return cls(f"{table}_totals")

    def get(self, key: str) -> Moments | None:
        """Return the moments of a node; None if they are not stored, or damaged."""
        try:
            content = pa.BufferReader(read_file(self._path(key)))
            file = pq.ParquetFile(content, page_checksum_verification=True)
            (rows,) = file.read().cast(schemas.MOMENTS).to_batches()
            (moments,) = unpack_moments(rows)
        except FileNotFoundError:
            return None
        except READ_ERRORS as exc:
            logger.warning(
                "Merging the moments again, because of a damaged file: %s", exc
            )
            return None
        return moments

    def put(self, key: str, moments: Moments) -> None:
        """Store the moments of a node."""
        check_lease()
        content = pa.BufferOutputStream()
        row = pa.Table.from_batches([moments_row(moments, keys="")])
        options = {"compression": "lz4", "use_dictionary": False}
        pq.write_table(row, content, write_page_checksum=True, **options)
        write_atomically(self._path(key), content.getvalue().to_pybytes())

    def keep_only(self, keys: Collection[str]) -> None:
        """Delete the moments of other nodes."""
        check_lease()
        file_system, base = resolve(self.location)
        kept = {f"{key}.parquet" for key in keys}
        for name in list_sizes(self.location):
            if name.endswith(".parquet") and name not in kept:
                file_system.rm_file(f"{base}/{name}")

    def _path(self, key: str) -> str:
        return f"{self.location}/{key}.parquet"
