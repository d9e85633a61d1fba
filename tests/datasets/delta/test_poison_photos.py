"""Photos that end their worker: real crashes, hangs and errors in workers of Spark."""

import logging
from functools import partial
from pathlib import Path

import poison
import pytest
from delta_batches import log_of, stored_ids
from deltalake import DeltaTable
from factories import arrow_table, key_of
from kedro.io.core import DatasetError
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import DeltaBatches
from fruits_pipeline.imaging.isolation import Limits
from fruits_pipeline.spark.arrow import refuse_photo, reject_photo
from fruits_pipeline.spark.batches import Batches, per_batch
from fruits_pipeline.spark.frames import from_tables, map_arrow
from fruits_pipeline.spark.parts import PhotoStep

pytestmark = pytest.mark.usefixtures("spark")

LIMIT = Limits(poison.SECONDS, 64)
REJECTED = "cannot be decoded: the decoder "


def batches(*kinds: list[str]) -> Batches:
    """Return batches in two parts: poison photos of these kinds after good ones, and a good one."""

    def load(kinds: list[str]) -> DataFrame:
        rows = []
        for kind in kinds:
            rows.append(key_of(f"Test/good/{kind}") | {"content": kind.encode()})
            rows.append(key_of(f"Test/bad/{kind}") | {"content": poison.photo(kind)})
        good = key_of(f"Test/good/also {kinds[0]}") | {"content": b"good"}
        parts = [arrow_table(part, schemas.PHOTOS) for part in (rows, [good])]
        return from_tables(parts, schemas.PHOTOS)

    return {f"{i:06d}": partial(load, names) for i, names in enumerate(kinds, 1)}


@per_batch
def decode(photos: DataFrame) -> DataFrame:
    return map_arrow(
        photos, PhotoStep(poison.decode, reject_photo, LIMIT), schemas.IMAGES
    )


@per_batch
def embed(images: DataFrame) -> DataFrame:
    return map_arrow(
        images, PhotoStep(poison.embed, refuse_photo, LIMIT), schemas.FEATURES
    )


def test_poison_photos_are_rejected_and_named_and_others_are_stored(
    images: DeltaBatches, caplog: pytest.LogCaptureFixture
) -> None:
    kinds = [*poison.KINDS]
    with caplog.at_level(logging.WARNING):
        images.save(decode(batches(kinds[:5], kinds[5:])))
    rows = DeltaTable(images.filepath).to_pyarrow_table().to_pylist()
    errors = {row["path"]: row["error"] for row in rows}
    assert len(rows) == len(errors) == 2 * len(kinds) + 2
    assert {path: error for path, error in errors.items() if error} == {
        f"Test/bad/{kind}": REJECTED + poison.KINDS[kind][1] for kind in kinds
    }
    assert all((row["image"] is None) == (row["error"] is not None) for row in rows)
    for kind, (_, reason) in poison.KINDS.items():
        assert f"Rejected Test/bad/{kind}: {REJECTED}{reason}" in caplog.text


def test_photo_that_crashes_the_backbone_is_named_and_other_batches_are_stored(
    features: DeltaBatches,
) -> None:
    images = per_batch(lambda rows: map_arrow(rows, poison.to_images, schemas.IMAGES))
    good = {"000002": batches(["harmless"])["000001"]}
    with pytest.raises(DatasetError) as caught:
        features.save(embed(images(batches(["crash"]) | good)))
    message = str(caught.value.__cause__)
    assert "the backbone crashed (SIGSEGV) for the photo Test/bad/crash;" in message
    assert [*log_of(features).batches] == ["000002"]


def test_batch_of_a_worker_that_was_killed_is_written_again(
    images: DeltaBatches, tmp_path: Path
) -> None:
    step = partial(poison.die_once, marker=tmp_path / "marker")
    kill = per_batch(lambda rows: map_arrow(rows, step, schemas.IMAGES))
    images.save(kill(decode(batches(["harmless"]))))
    assert [*stored_ids(images)] == ["000001"]
    assert sum(file.rows for file in log_of(images).files) == 3
