"""Find the ingested photos that no longer exist in the photo root."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline.datasets import GonePhotos
from fruits_pipeline.datasets.delta.photo_changes import Hashes
from fruits_pipeline.io.listing import ListedFile
from fruits_pipeline.parameters import IngestParameters


def find_gone(
    ingested: pa.Table,
    photos: Sequence[ListedFile],
    photo_root: str,
    parameters: IngestParameters,
) -> tuple[GonePhotos, dict[str, Hashes]]:
    """Separate the ingested photos whose path is not listed from the others.

    Args:
        ingested: `INGESTED` rows.
        photos: The listed photos.
        photo_root: Path or URL of the photo root.
        parameters: Parameters of the stage.

    Returns:
        The photos that are gone, and the hashes of the others by batch.
    """
    paths = pa.array([photo.path for photo in photos], pa.string())
    is_listed = pc.is_in(ingested["path"], paths)
    gone = GonePhotos(
        ingested.filter(pc.invert(is_listed)),
        len(ingested),
        photo_root,
        parameters.gone == "delete",
        parameters.max_gone_rate,
    )
    listed = ingested.select(["batch", "id_hash"]).filter(is_listed)
    batches = listed["batch"].dictionary_encode().to_pandas()
    hashes = listed["id_hash"].to_pandas().groupby(batches, observed=True)
    return gone, {str(batch): found.to_numpy() for batch, found in hashes}


def find_lost(
    gone: GonePhotos, listed: Sequence[Hashes], new: Sequence[ListedFile]
) -> list[str]:
    """Return the paths of gone photos that were certainly not moved.

    Their bytes are not those of another listed photo, and no new file of the same size
    is left that they could have been moved to.

    Args:
        gone: Photos that no longer exist.
        listed: Hashes of ingested photos that exist.
        new: New and changed files.
    """
    if not len(gone.photos):
        return []
    existing = np.concatenate([np.zeros(1, np.uint64), *listed])  # 0: without bytes
    is_elsewhere = np.isin(gone.photos["id_hash"].to_numpy(), existing)
    photos = gone.photos.filter(pa.array(~is_elsewhere))
    new_sizes = Counter(file.size_bytes for file in new)
    lost = []
    for path, size in zip(
        photos["path"].to_pylist(), photos["size_bytes"].to_pylist(), strict=True
    ):
        if new_sizes[size]:
            new_sizes[size] -= 1
        else:
            lost.append(path)
    return lost
