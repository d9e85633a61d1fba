import hashlib
import os
from pathlib import Path

import pytest
import yaml
from making import (
    PROJECT,
    batches,
    by_path,
    columns_of,
    jpeg,
    replace_file,
    types_of,
    write_files,
)
from pyspark.errors import PythonException

from fruits_pipeline import schemas
from fruits_pipeline.batches import Batches
from fruits_pipeline.complaints import in_words
from fruits_pipeline.datasets import BatchTable, PhotoStore
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.parameters import IngestParameters
from fruits_pipeline.pipelines.ingest.nodes import ingest_photos

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
RELABELLED = PARAMETERS.model_copy(update={"path_rules": ["(?P<split>[^/]+)/.*"]})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_files(tmp_path / "my photos", FILES)


@pytest.fixture
def table(tmp_path: Path) -> BatchTable:
    return BatchTable(filepath=str(tmp_path / "photos"))


def planned(
    root: Path, held: Batches, parameters: IngestParameters = PARAMETERS
) -> Batches:
    return ingest_photos(PhotoStore(filepath=str(root)).load(), held, parameters)


def nothing() -> Batches:
    return batches({}, schemas.PHOTOS)


def test_photos_form_numbered_batches_by_path(root: Path) -> None:
    plan = planned(root, nothing())
    assert plan.names == ("000001", "000002", "000003")
    paths = [by_path(plan.read([name])).keys() for name in plan.names]
    assert paths == [
        {"Test/Kiwi/0_100.jpg", "Training/Apple Red 1/0_100.jpg"},
        {"Training/Kiwi/0_100.jpg", "Training/Kiwi/r_0_100.jpg"},
        {"a.jpg"},
    ]


def test_a_photo_keeps_its_bytes_under_its_own_path(root: Path) -> None:
    rows = by_path(planned(root, nothing()).rows())
    assert {path: row["content"] for path, row in rows.items()} == FILES
    assert {path: row["photo_id"] for path, row in rows.items()} == {
        path: hashlib.sha256(content).hexdigest() for path, content in FILES.items()
    }


def test_label_split_and_series_are_those_of_the_path(root: Path) -> None:
    rows = by_path(planned(root, nothing()).rows())
    named = ("split", "label", "series")
    assert {path: tuple(row[n] for n in named) for path, row in rows.items()} == {
        "Training/Apple Red 1/0_100.jpg": ("Training", "Apple Red 1", "Apple Red 1/"),
        "Training/Kiwi/0_100.jpg": ("Training", "Kiwi", "Kiwi/"),
        "Training/Kiwi/r_0_100.jpg": ("Training", "Kiwi", "Kiwi/r"),
        "Test/Kiwi/0_100.jpg": ("Test", "Kiwi", "Kiwi/"),
        "a.jpg": (None, None, None),
    }


def test_the_columns_are_those_of_the_schema(root: Path, table: BatchTable) -> None:
    table.save(planned(root, table.load()))
    assert columns_of(table.load().rows()) == types_of(schemas.PHOTOS)


def test_photos_that_are_held_are_not_planned_again(
    root: Path, table: BatchTable
) -> None:
    table.save(planned(root, table.load()))
    assert planned(root, table.load()).names == ()


def test_new_and_changed_photos_form_batches_after_those_held(
    root: Path, table: BatchTable
) -> None:
    table.save(planned(root, table.load()))
    write_files(root, {"Training/Lime/0_100.jpg": jpeg(6)})
    replace_file(root / "a.jpg", jpeg(7))
    plan = planned(root, table.load())
    assert plan.names == ("000004",)
    rows = by_path(plan.rows())
    assert rows.keys() == {"Training/Lime/0_100.jpg", "a.jpg"}
    assert rows["a.jpg"]["content"] == jpeg(7)


def test_only_the_newest_version_held_counts(root: Path, table: BatchTable) -> None:
    table.save(planned(root, table.load()))
    first = (root / "a.jpg").stat()
    replace_file(root / "a.jpg", jpeg(7))
    table.save(planned(root, table.load()))
    (root / "a.jpg").write_bytes(FILES["a.jpg"])
    os.utime(root / "a.jpg", ns=(first.st_atime_ns, first.st_mtime_ns))
    assert by_path(planned(root, table.load()).rows()).keys() == {"a.jpg"}


def test_photos_that_are_gone_from_the_store_are_no_reason_to_do_anything(
    root: Path, table: BatchTable
) -> None:
    table.save(planned(root, table.load()))
    (root / "a.jpg").unlink()
    assert planned(root, table.load()).names == ()


def test_other_path_rules_are_refused_while_there_are_photos(
    root: Path, table: BatchTable
) -> None:
    table.save(planned(root, table.load()))
    with pytest.raises(Exception, match=r"ingest.path_rules was .*, is ") as refused:
        table.save(planned(root, table.load(), RELABELLED))
    assert isinstance(refused.value.__cause__, FruitsError)
    assert len(table.load().names) == 3


def test_a_rebuild_holds_all_photos_again(root: Path, table: BatchTable) -> None:
    table.save(planned(root, table.load()))
    rebuilt = BatchTable(filepath=table.filepath, changed_recipe="rebuild")
    rebuilt.save(planned(root, rebuilt.load(), RELABELLED))
    assert rebuilt.load().names == ("000001", "000002", "000003")
    rows = by_path(table.load().rows())
    assert rows.keys() == FILES.keys()
    assert {row["label"] for row in rows.values()} == {None}


def test_files_that_are_no_photos_are_left_out(root: Path) -> None:
    write_files(root, {"notes.txt": b"-", ".DS_Store": b"-", "Test/Thumbs.db": b"-"})
    assert by_path(planned(root, nothing()).rows()).keys() == FILES.keys()


def test_a_folder_without_photos_is_refused_in_words(tmp_path: Path) -> None:
    write_files(tmp_path / "texts", {"notes.txt": b"-", "more.txt": b"-"})
    words = r"Found 2 files in .*none of them a photo .*'\.txt': 2.*jpeg.*photos="
    with pytest.raises(FruitsError, match=words):
        planned(tmp_path / "texts", nothing())


def test_more_than_a_thousand_photos_are_all_planned(tmp_path: Path) -> None:
    root = write_files(tmp_path, {f"Lime/{i}.jpg": b"" for i in range(1050)})
    assert len(planned(root, nothing()).names) == 525


def test_a_photo_that_is_gone_since_it_was_listed_is_left_out(root: Path) -> None:
    plan = planned(root, nothing())
    (root / "a.jpg").unlink()
    assert by_path(plan.rows()).keys() == FILES.keys() - {"a.jpg"}


def test_a_photo_that_a_worker_cannot_read_is_named(root: Path) -> None:
    (root / "loop.jpg").symlink_to(root / "loop.jpg")
    with pytest.raises(PythonException) as failed:
        planned(root, nothing()).rows().collect()
    words = in_words(failed.value) or ""
    assert words.startswith("Found a photo that cannot be read: loop.jpg")
    assert words.endswith("grant it, or move the photo away.")
