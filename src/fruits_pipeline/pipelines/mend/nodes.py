"""Read lost photos again, and keep the fitted PCA."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import FittedPca, Listing
from fruits_pipeline.datasets.delta.lost_photos import Keys
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.forgotten import ForgottenPhotos
from fruits_pipeline.models.moment_tree import MomentTree
from fruits_pipeline.parameters import IngestParameters, ReduceParameters
from fruits_pipeline.pipelines.ingest.nodes import fetch_photos, make_listing
from fruits_pipeline.pipelines.reduce.nodes import fit_pca
from fruits_pipeline.spark.batches import Batches
from fruits_pipeline.spark.frames import map_arrow
from fruits_pipeline.spark.keys import photo_keys
from fruits_pipeline.spark.parts import Rows

logger = logging.getLogger(__name__)

NAMED_PHOTOS = 20
"""Maximum number of photos that a warning names."""


def read_lost_photos(
    lost_photos: Mapping[str, Keys],
    reachable_photos: Listing | FruitsError,
    forgotten: ForgottenPhotos,
    parameters: IngestParameters,
) -> Batches:
    """Read the photos again that the table `photos` has lost.

    Args:
        lost_photos: `path` and `photo_id` of the lost photos, by batch.
        reachable_photos: The files below the photo root, or why they cannot be listed.
        forgotten: Erased photos, which are not read again.
        parameters: Parameters of the stage ingest.

    Returns:
        `PHOTOS` rows by batch, of the photos whose bytes have not changed.

    Raises:
        FruitsError: Photos are lost, and the photo root cannot be listed.
    """
    if isinstance(reachable_photos, FruitsError):
        if lost_photos:
            raise _unreachable_error(lost_photos, reachable_photos)
        logger.warning("Repairing without photos; none is lost. %s", reachable_photos)
    if not lost_photos or isinstance(reachable_photos, FruitsError):
        return {}
    batches: dict[str, partial[DataFrame]] = {}
    files = _find_files(reachable_photos, lost_photos)
    for batch, keys in lost_photos.items():
        wanted = {key for key in keys if not forgotten.has_photo(key[1])}
        paths = pa.array(sorted(path for path, _ in wanted), pa.string())
        found = files.filter(pc.is_in(files["path"], paths))
        root = reachable_photos.photo_root
        if len(found):
            batches[batch] = partial(_read_again, found, root, wanted, parameters)
    logger.info("Reading %d lost photos again", sum(map(len, lost_photos.values())))
    return batches


def _find_files(listing: Listing, lost: Mapping[str, Keys]) -> pa.Table:
    """Return the `LISTED` rows of lost photos, sorted by path."""
    paths = pa.array({path for keys in lost.values() for path, _ in keys}, pa.string())
    found = [t.filter(pc.is_in(t["path"], paths)) for t in listing.files.tables()]
    return pa.concat_tables(found).sort_by("path")


def _unreachable_error(
    lost_photos: Mapping[str, Keys], reason: FruitsError
) -> FruitsError:
    paths = sorted(path for keys in lost_photos.values() for path, _ in keys)
    return FruitsError(
        f"Found that the table `photos` has lost {_named(paths)}; expected to read them "
        f"again from the photo root, but: {reason}"
    )


def _read_again(
    files: pa.Table, root: str, keys: Keys, parameters: IngestParameters
) -> DataFrame:
    rows = fetch_photos(make_listing(files, root, parameters), parameters)
    return map_arrow(rows, partial(keep_keys, keys=keys), schemas.PHOTOS)


def keep_keys(rows: Rows, keys: Keys) -> Rows:
    """Keep the rows with one of the keys (`path`, `photo_id`)."""
    for batch in rows:
        kept = [key in keys for key in photo_keys(batch)]
        yield batch.filter(pa.array(kept, pa.bool_()))


def warn_of_ended_photos(lost_photos: Mapping[str, Keys]) -> None:
    """Warn of photos that could not be read again, so that their rows will be deleted.

    Args:
        lost_photos: The photos that are still lost, by batch.
    """
    paths = sorted(path for keys in lost_photos.values() for path, _ in keys)
    if paths:
        logger.warning(
            "%d lost photos no longer exist in the photo root, or have changed: %s. Their "
            "rows end in all tables. `kedro run` ingests those that have changed.",
            len(paths),
            _named(paths),
        )


def _named(paths: Iterable[str]) -> str:
    named = [*paths]
    text = ", ".join(map(repr, named[:NAMED_PHOTOS]))
    return text + (" and others" if len(named) > NAMED_PHOTOS else "")


def fit_lost_pca(
    moments: MomentTree, existing_pca: FittedPca | None, parameters: ReduceParameters
) -> FittedPca:
    """Return the existing PCA; only if there is none, fit one."""
    if existing_pca:
        return existing_pca
    logger.warning(
        "The PCA was lost and is fitted again: `reduced` is computed again. Then train "
        "the classifier with `kedro run --pipelines classify`"
    )
    return fit_pca(moments, None, parameters)
