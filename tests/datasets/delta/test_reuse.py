from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from delta_batches import (
    batches,
    decode,
    log_of,
    photo_row,
    stored_ids,
)
from factories import arrow_table
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import (
    DeltaBatches,
    DeltaListing,
    GonePhotos,
    PhotoChanges,
)
from fruits_pipeline.datasets.delta.photo_hashes import Hashes, PhotoHashes
from fruits_pipeline.datasets.delta.reuse import (
    MAX_SMALL_SOURCES,
    Sources,
    choose_sources,
)
from fruits_pipeline.io import sorted_runs
from fruits_pipeline.io.row_file import RowFile
from fruits_pipeline.lineage import Lineage
from fruits_pipeline.spark.batches import Batches, per_batch
from fruits_pipeline.spark.frames import from_tables, map_arrow
from fruits_pipeline.spark.parts import Rows

pytestmark = pytest.mark.usefixtures("spark")

Save = Callable[[], None]


def renamed(*names: str) -> Batches:
    """Return the batch 000009 of photos at new paths: `a/b` has the bytes of `b`."""
    rows = [
        photo_row(name.replace("/", "-")) | {"photo_id": name.rpartition("/")[2]}
        for name in names
    ]
    return {
        "000009": lambda: from_tables(
            [arrow_table(rows, schemas.PHOTOS)], schemas.PHOTOS
        )
    }


def change(
    photos: DeltaBatches, new: Batches, gone: Sequence[str] = (), delete: bool = False
) -> None:
    """Save new photos, and tell which photos are gone."""
    existing = DeltaListing(filepath=photos.filepath, table="photos").load()
    files = pa.concat_tables(existing.runs.tables()).sort_by("path")
    paths = pa.array([f"Test/Kiwi/{name}" for name in gone], pa.string())
    is_gone = pc.is_in(files["path"], paths)
    rows = RowFile(schemas.INGESTED, None, 2)
    rows.add(files.filter(is_gone))
    rows.close()
    listed, hashes = files.filter(pc.invert(is_gone)), PhotoHashes()
    hashes.add(listed["batch"], listed["id_hash"].to_numpy())
    changed = GonePhotos(rows, len(files), "the photos", delete, 1)
    photos.save(PhotoChanges(new, changed, hashes))


@pytest.fixture
def save(photos: DeltaBatches, images: DeltaBatches) -> Iterator[Save]:
    """Compute `images`; fail if a photo other than `n` is decoded."""
    images.lineage = Lineage({}, (photos,))

    def decode_new(rows: Rows) -> Rows:
        for batch in rows:
            assert {*batch["photo_id"].to_pylist()} <= {"n"}
            yield from decode(iter([batch]))

    def decode_batch(rows: DataFrame) -> DataFrame:
        return map_arrow(rows, decode_new, schemas.IMAGES)

    return lambda: images.save(per_batch(decode_batch)(photos.load()))


def test_rows_of_moved_and_copied_photos_are_copied(
    photos: DeltaBatches, images: DeltaBatches, save_images: Save, save: Save
) -> None:
    photos.save(batches({"000001": ["a", "b"], "000002": ["c!", "d"]}, schemas.PHOTOS))
    save_images()
    change(photos, renamed("x/a", "x/b", "y/d", "z/n"), gone=["a", "b"])
    assert photos.saved.removed == (2, 0)
    save()
    expected = {"000002": ["c!", "d"], "000009": ["a", "b", "d", "n"]}
    assert stored_ids(images) == stored_ids(photos) == expected
    rows = log_of(images).to_pandas(schemas.IMAGES).set_index("path")
    assert rows.loc["Test/Kiwi/x-a", "photo_id"] == "a"


def test_rows_of_moved_photos_are_copied_by_a_later_run(
    photos: DeltaBatches, images: DeltaBatches, save_images: Save, save: Save
) -> None:
    photos.save(batches({"000001": ["a", "b"], "000002": ["c"]}, schemas.PHOTOS))
    save_images()
    change(photos, renamed("x/a", "x/c"), gone=["a", "c"])
    photos.prepare(Lineage())  # the next run
    save()
    assert stored_ids(images) == {"000001": ["b"], "000009": ["a", "c"]}


@pytest.mark.parametrize("run_rows", [1, 50_000])
@pytest.mark.parametrize(("delete", "removed"), [(False, (1, 1)), (True, (1, 2))])
def test_rows_of_gone_photos_are_kept_or_deleted(
    photos: DeltaBatches,
    delete: bool,
    removed: tuple[int, int],
    run_rows: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sorted_runs, "RUN_ROWS", run_rows)
    monkeypatch.setattr(sorted_runs, "SAMPLED_ROWS", min(run_rows, 1000))
    unread = photo_row("c!") | {"photo_id": None}
    table = arrow_table([unread, photo_row("d")], schemas.PHOTOS)
    second = {"000002": lambda: from_tables([table], schemas.PHOTOS)}
    photos.save(batches({"000001": ["a", "b"]}, schemas.PHOTOS) | second)
    change(photos, renamed("x/a"), gone=["a", "b", "c"], delete=delete)
    assert photos.saved.removed == removed
    kept = {} if delete else {"000001": ["b"]}
    assert stored_ids(photos) == {**kept, "000002": ["d"], "000009": ["a"]}
    assert log_of(photos).last_batch == 9


def test_photos_with_equal_hashes_only_are_not_moved(
    photos: DeltaBatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos.save(batches({"000001": ["a", "b"]}, schemas.PHOTOS))
    monkeypatch.setattr(
        "fruits_pipeline.datasets.delta.views.hash_ids",
        lambda ids: np.ones(len(ids), np.uint64),
    )
    change(photos, {}, gone=["a"])
    assert photos.saved.removed == (0, 0)
    assert stored_ids(photos) == {"000001": ["a", "b"]}


def test_batch_without_photos_is_removed_from_later_tables(
    photos: DeltaBatches,
    images: DeltaBatches,
    moments: DeltaBatches,
    save_all: Save,
) -> None:
    photos.save(batches({"000001": ["a", "b"], "000002": ["c"]}, schemas.PHOTOS))
    save_all()
    change(photos, {}, gone=["a", "b"], delete=True)
    save_all()
    assert stored_ids(photos) == stored_ids(images) == {"000002": ["c"]}
    assert [*log_of(moments).batches] == ["000002"]


@pytest.mark.parametrize(
    ("photos_per_source", "sources"), [(0, 0), (1, MAX_SMALL_SOURCES), (6, 12)]
)
def test_sources_with_few_known_photos_are_not_read(
    photos_per_source: int, sources: int
) -> None:
    hashes = np.arange(1, 1201, dtype=np.uint64).reshape(12, 100)
    batch = hashes[:, :photos_per_source].ravel()
    assert len(choose_sources(sources_of(*hashes), [batch])[0]) == sources


def test_source_with_most_photos_is_read_first() -> None:
    values = np.array([0, 5, 6, 7], np.uint64)
    sources = sources_of(values[:2], values)
    batches = [values[1:], values[:1], np.array([9], np.uint64)]
    assert choose_sources(sources, batches) == [[1, 0], [], []]


def sources_of(*hashes: Hashes) -> Sources:
    """Return sources with one file each; hashes are read in chunks of all sources."""
    numbers = np.repeat(np.arange(len(hashes), dtype=np.uint32), [*map(len, hashes)])
    values = np.concatenate(hashes)
    chunks = [(numbers[::2], values[::2]), (numbers[1::2], values[1::2])]
    return Sources({i: ["a file"] for i in range(len(hashes))}, lambda: iter(chunks))
