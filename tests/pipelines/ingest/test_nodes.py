import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from factories import (
    PROJECT,
    by_path,
    column_types,
    frame,
    jpeg,
    replace_file,
    spark_types,
    write_files,
)
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import (
    ExistingPhotos,
    ListedFiles,
    Listing,
    PhotoChanges,
    PhotoStore,
)
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.listing import ListedFile
from fruits_pipeline.parameters import IngestParameters
from fruits_pipeline.pipelines.ingest.nodes import fetch_photos, plan_batches
from fruits_pipeline.spark.batches import Batches
from fruits_pipeline.spark.frames import task_count

pytestmark = pytest.mark.usefixtures("spark")

FILES = {
    "Training/Apple Red 1/0_100.jpg": jpeg(1),
    "Training/Kiwi/0_100.jpg": jpeg(2),
    "Training/Kiwi/r_0_100.jpg": jpeg(3),
    "Test/Kiwi/0_100.jpg": jpeg(4),
    "a.jpg": jpeg(5),
}
BASE = yaml.safe_load((PROJECT / "conf/base/parameters_ingest.yml").read_text())
PARAMETERS = IngestParameters(**BASE["ingest"] | {"photos_per_batch": 2})
SPLIT_ONLY = PARAMETERS.model_copy(update={"path_rules": ["(?P<split>[^/]+)/.*"]})
NO_PHOTOS = ExistingPhotos(tuple, 0)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_files(tmp_path / "my photos", FILES)


def existing_photos(root: Path, last_batch: int = 3) -> ExistingPhotos:
    """Return the content of a table into which all current files were ingested."""
    return ingested(PhotoStore(filepath=str(root)).load().files, last_batch)


def ingested(files: Iterable[ListedFile], last_batch: int = 3) -> ExistingPhotos:
    """Return the content of a table into which some files were ingested."""
    return with_hashes(files, {}, last_batch)


def with_hashes(
    files: Iterable[ListedFile], hashes: Mapping[str, int], last_batch: int = 3
) -> ExistingPhotos:
    """Return the content of a table; photos without a given hash have different ones."""
    rows = [
        {**file._asdict(), "id_hash": hashes.get(file.path, i), "batch": "000001"}
        for i, file in enumerate(files, 1)
    ]
    table = pa.Table.from_pylist(rows, schemas.INGESTED)
    return ExistingPhotos(lambda: [table], last_batch)


def plan(
    root: Path, existing: ExistingPhotos = NO_PHOTOS, **parameters: Any
) -> tuple[Batches, dict[str, Any]]:
    changes, counts = plan_changes(root, existing, **parameters)
    return changes.new, counts


def plan_changes(
    root: Path, existing: ExistingPhotos, **parameters: Any
) -> tuple[PhotoChanges, dict[str, Any]]:
    changed = PARAMETERS.model_copy(update=parameters)
    return plan_batches(PhotoStore(filepath=str(root)).load(), existing, changed)


def paths_in(batches: Batches) -> dict[str, set[str]]:
    return {name: {*by_path(load())} for name, load in batches.items()}


def listing(root: Path) -> DataFrame:
    """Return the `LISTING` rows of all files."""
    files = PhotoStore(filepath=str(root)).load().files
    rows = [file._asdict() | {"root": str(root)} for file in files]
    return frame(rows, schemas.LISTING)


def test_photos_are_grouped_into_numbered_batches_by_path(root: Path) -> None:
    batches, _ = plan(root)
    assert paths_in(batches) == {
        "000001": {"Test/Kiwi/0_100.jpg", "Training/Apple Red 1/0_100.jpg"},
        "000002": {"Training/Kiwi/0_100.jpg", "Training/Kiwi/r_0_100.jpg"},
        "000003": {"a.jpg"},
    }


def test_batches_are_rows_of_the_listing(root: Path) -> None:
    batches, _ = plan(root)
    assert column_types(batches["000003"]()) == spark_types(schemas.LISTING)
    (row,) = batches["000003"]().toArrow().to_pylist()
    stat = (root / "a.jpg").stat()
    assert row == {
        "root": str(root),
        "path": "a.jpg",
        "size_bytes": len(FILES["a.jpg"]),
        "modified_at": datetime.fromtimestamp(stat.st_mtime, row["modified_at"].tzinfo),
        "etag": None,
    }


@pytest.mark.parametrize(
    ("limits", "tasks"),
    [({"photos_per_part": 2}, 3), ({"part_bytes": 1}, 5), ({"photos_per_part": 9}, 1)],
)
def test_each_part_is_one_task(root: Path, limits: dict[str, int], tasks: int) -> None:
    batches, _ = plan(root, photos_per_batch=9, **limits)
    photos = fetch_photos(batches["000001"](), PARAMETERS)
    assert (task_count(photos), photos.rdd.getNumPartitions()) == (tasks, tasks)
    assert by_path(photos).keys() == FILES.keys()


def test_fetched_photos_have_content_and_digest(root: Path) -> None:
    rows = by_path(fetch_photos(listing(root), PARAMETERS))
    assert {path: row["content"] for path, row in rows.items()} == FILES
    assert {path: row["photo_id"] for path, row in rows.items()} == {
        path: hashlib.sha256(content).hexdigest() for path, content in FILES.items()
    }


def test_label_split_and_series_are_parsed_from_the_path(root: Path) -> None:
    rows = by_path(fetch_photos(listing(root), PARAMETERS))
    named = ("split", "label", "series")
    assert {path: tuple(row[n] for n in named) for path, row in rows.items()} == {
        "Training/Apple Red 1/0_100.jpg": ("Training", "Apple Red 1", "Apple Red 1/"),
        "Training/Kiwi/0_100.jpg": ("Training", "Kiwi", "Kiwi/"),
        "Training/Kiwi/r_0_100.jpg": ("Training", "Kiwi", "Kiwi/r"),
        "Test/Kiwi/0_100.jpg": ("Test", "Kiwi", "Kiwi/"),
        "a.jpg": (None, None, None),
    }


def test_path_rules_determine_the_labels(root: Path) -> None:
    rows = by_path(fetch_photos(listing(root), SPLIT_ONLY))
    assert rows.keys() == FILES.keys()
    assert {row["label"] for row in rows.values()} == {None}
    assert {row["split"] for row in rows.values()} == {"Training", "Test", None}


def test_fetched_photos_have_the_columns_of_their_schema(root: Path) -> None:
    photos = fetch_photos(listing(root), PARAMETERS)
    assert column_types(photos) == spark_types(schemas.FETCHED)


def test_existing_photos_are_not_ingested_again(root: Path) -> None:
    batches, counts = plan(root, existing_photos(root))
    assert (batches, counts["new_or_changed"], counts["gone"]) == ({}, 0, 0)


def test_new_and_changed_photos_form_new_batches(root: Path) -> None:
    existing = existing_photos(root)
    write_files(root, {"Training/Lime/0_100.jpg": jpeg(6)})
    replace_file(root / "a.jpg", jpeg(7))
    batches, counts = plan(root, existing)
    assert paths_in(batches) == {"000004": {"Training/Lime/0_100.jpg", "a.jpg"}}
    assert counts["new_or_changed"] == 2
    rows = by_path(fetch_photos(batches["000004"](), PARAMETERS))
    assert rows["a.jpg"]["content"] == jpeg(7)


@pytest.mark.parametrize(
    ("last_batch", "names"),
    [(0, ["000001", "000002", "000003"]), (98, ["000099", "000100", "000101"])],
)
def test_batches_are_numbered_after_the_last_one(
    root: Path, last_batch: int, names: list[str]
) -> None:
    batches, _ = plan(root, ingested([], last_batch))
    assert [*batches] == names


def test_photo_restored_to_an_older_version_is_ingested(root: Path) -> None:
    first = (root / "a.jpg").stat()
    replace_file(root / "a.jpg", jpeg(7))
    existing = existing_photos(root)
    (root / "a.jpg").write_bytes(FILES["a.jpg"])
    os.utime(root / "a.jpg", ns=(first.st_atime_ns, first.st_mtime_ns))
    batches, _ = plan(root, existing)
    assert paths_in(batches) == {"000004": {"a.jpg"}}


@pytest.mark.parametrize(("stored", "new"), [("other", 1), (None, 0)])
def test_changed_etag_is_detected(root: Path, stored: str | None, new: int) -> None:
    files = [f._replace(etag="e") for f in PhotoStore(filepath=str(root)).load().files]
    store, (first, *others) = Listing(str(root), ListedFiles.of(files)), files
    existing = ingested([first._replace(etag=stored), *others])
    _, counts = plan_batches(store, existing, PARAMETERS)
    assert counts["new_or_changed"] == new


def test_photos_that_are_no_longer_photos_are_gone(root: Path) -> None:
    existing = existing_photos(root)
    (root / "a.jpg").unlink()
    (root / "Test/Kiwi/0_100.jpg").rename(root / "Test/Kiwi/0_100.jpg.bak")
    changes, counts = plan_changes(root, existing)
    assert (changes.new, counts["gone"]) == ({}, 2)
    assert changes.gone
    (gone,) = changes.gone.photos.tables()
    assert gone["path"].to_pylist() == ["Test/Kiwi/0_100.jpg", "a.jpg"]
    assert (changes.gone.ingested, changes.gone.delete) == (5, False)
    rows = pa.concat_tables(existing.runs.tables()).to_pylist()
    kept = {r["id_hash"] for r in rows if r["path"].startswith("Training")}
    ((numbers, hashes),) = changes.listed.chunks()
    assert ({*numbers.tolist()}, {*hashes.tolist()}) == ({1}, kept)


def test_run_stops_if_too_many_photos_are_gone(root: Path) -> None:
    existing = existing_photos(root)
    shutil.rmtree(root / "Training")
    limit = {"gone": "delete", "max_gone_rate": 0.5}
    with pytest.raises(FruitsError) as caught:
        plan(root, existing, **limit)
    assert "3 of 5 ingested photos (60.0%) are no longer in" in str(caught.value)
    assert "ingest.max_gone_rate = 50.0%. No row was deleted." in str(caught.value)
    assert "ingest.gone=delete,ingest.max_gone_rate=0.6;" in str(caught.value)
    plan(root, existing, gone="keep", max_gone_rate=0.5)
    plan(root, existing, gone="delete", max_gone_rate=0.6)


def test_moved_and_unread_photos_may_be_gone(root: Path) -> None:
    ids = {"Training/Kiwi/0_100.jpg": 0, "Test/Kiwi/0_100.jpg": 7, "a.jpg": 7}
    existing = with_hashes(PhotoStore(filepath=str(root)).load().files, ids)
    (root / "Training/Kiwi/0_100.jpg").unlink()  # was not read
    (root / "Test/Kiwi/0_100.jpg").unlink()  # a copy of a.jpg
    (root / "Training/Apple Red 1").rename(root / "Training/Apple")
    _, counts = plan(root, existing, gone="delete", max_gone_rate=0)
    assert counts["gone"] == 3
    replace_file(root / "Training/Apple/0_100.jpg", b"of another size")
    with pytest.raises(FruitsError, match=r"Found that 1 of 5 .*Apple Red 1/0_100"):
        plan(root, existing, gone="delete", max_gone_rate=0)


def test_other_files_are_left_out(root: Path) -> None:
    write_files(root, {"notes.txt": b"-", ".DS_Store": b"-", "Test/Thumbs.db": b"-"})
    batches, _ = plan(root)
    assert {*FILES} == set().union(*paths_in(batches).values())


def test_files_are_counted_by_kind(root: Path) -> None:
    existing = existing_photos(root)
    replace_file(root / "a.jpg", jpeg(7))
    (root / "Test/Kiwi/0_100.jpg").unlink()
    new = {"Lime/1.jpg": jpeg(6), "notes.txt": b"-", "more.txt": b"-", ".x": b"-"}
    write_files(root, new | {"out/table/1.parquet": b"-", "out/2.jpg": b"-"})
    store = PhotoStore(filepath=str(root), tables={"path": f"{root}/out"}).load()
    _, counts = plan_batches(store, existing, PARAMETERS)
    assert counts == {
        "files": 10,
        "photos": 5,
        "new_or_changed": 2,
        "gone": 1,
        "left_out": {".txt": 2, "hidden": 1, "below root": 2},
    }
    assert counts["files"] == counts["photos"] + sum(counts["left_out"].values())


def test_left_out_is_empty_if_all_files_are_photos(root: Path) -> None:
    _, counts = plan(root)
    assert counts == {
        "files": 5,
        "photos": 5,
        "new_or_changed": 5,
        "gone": 0,
        "left_out": {},
    }


def test_all_photos_of_a_long_listing_are_planned(tmp_path: Path) -> None:
    root = write_files(tmp_path, {f"Lime/{i}.jpg": b"" for i in range(1050)})
    batches, counts = plan(root)
    assert (len(batches), counts["photos"]) == (525, 1050)


def test_photo_deleted_after_listing_has_an_error(root: Path) -> None:
    batch = listing(root)
    (root / "a.jpg").unlink()
    photos = by_path(fetch_photos(batch, PARAMETERS))
    assert photos.keys() == FILES.keys()
    errors = {path for path, row in photos.items() if row["error"]}
    assert errors == {"a.jpg"}
    assert photos["a.jpg"]["content"] is photos["a.jpg"]["photo_id"] is None


def test_photo_that_was_not_read_is_planned_again(root: Path) -> None:
    files = PhotoStore(filepath=str(root)).load().files
    batches, counts = plan(root, with_hashes(files, {"a.jpg": 0}))
    assert paths_in(batches) == {"000004": {"a.jpg"}}
    assert (counts["new_or_changed"], counts["gone"]) == (1, 0)


def test_archived_photos_are_left_out_unless_they_are_ingested(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    listing = PhotoStore(filepath=str(root)).load()
    archived = ["a.jpg", "Test/Kiwi/0_100.jpg"]
    store = Listing(listing.photo_root, ListedFiles.of(listing.files, archived))
    existing = ingested([f for f in listing.files if f.path != "a.jpg"])
    changes, counts = plan_batches(store, existing, PARAMETERS)
    assert (changes.new, counts["photos"], counts["gone"]) == ({}, 4, 0)
    assert counts["left_out"] == {"archived in S3 Glacier": 1}
    assert "1 archived in S3 Glacier (such as 'a.jpg'); restore" in caplog.text


def test_archived_photo_that_has_changed_is_kept(root: Path) -> None:
    listing = PhotoStore(filepath=str(root)).load()
    existing = ingested(listing.files)
    changed = [f._replace(size_bytes=1 + f.size_bytes) for f in listing.files]
    store = Listing(listing.photo_root, ListedFiles.of(changed, FILES))
    changes, counts = plan_batches(store, existing, PARAMETERS)
    assert (changes.new, counts["photos"], counts["gone"]) == ({}, 5, 0)
    assert counts["left_out"] == {}


def test_other_entries_of_the_listing_are_left_out(root: Path) -> None:
    (root / "dangling.jpg").symlink_to("gone")
    os.mkfifo(root / "Test/fifo.jpg")
    write_files(root, {".cache/x.jpg": b"-"})
    os.mkfifo(root / ".cache/fifo")
    batches, counts = plan(root)
    assert paths_in(batches).keys() == {"000001", "000002", "000003"}
    reasons = {"broken link": 1, "not a regular file": 1, "hidden": 2}
    assert counts["left_out"] == reasons
    assert counts["files"] == 9


def test_files_that_may_be_photos_are_named_in_a_warning(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_files(
        root, {"Test/Kiwi/1.CR2": b"-", "notes.txt": b"-", "@eaDir/x.jpg": b"-"}
    )
    plan(root)
    (warning,) = (r.getMessage() for r in caplog.records if "may be" in r.getMessage())
    assert "1 .cr2 (such as 'Test/Kiwi/1.CR2')" in warning
    assert "ingest.extensions" in warning
    assert "notes.txt" not in warning
    assert "@eaDir" not in warning
