from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from factories import NOON, PROJECT

from fruits_pipeline import schemas
from fruits_pipeline.datasets import ExistingPhotos, ListedFiles, Listing
from fruits_pipeline.datasets.photo_listing import to_files
from fruits_pipeline.io import sorted_runs
from fruits_pipeline.io.left_out import ARCHIVED, FORGOTTEN, LeftOut
from fruits_pipeline.io.listing import ListedFile
from fruits_pipeline.parameters import IngestParameters
from fruits_pipeline.pipelines.ingest.comparison import (
    Differences,
    compare,
    find_changed,
)

BASE = yaml.safe_load((PROJECT / "conf/base/parameters_ingest.yml").read_text())
PARAMETERS = IngestParameters(**BASE["ingest"] | {"photos_per_batch": 7})


def file(
    path: str, size: int = 10, at: datetime = NOON, etag: str | None = None
) -> ListedFile:
    return ListedFile(path, size, at, etag)


def ingested(files: Sequence[ListedFile], unread: Sequence[str] = ()) -> pa.Table:
    """Return the `INGESTED` rows of files; batches have three rows."""
    rows: list[dict[str, Any]] = [
        f._asdict()
        | {"id_hash": 0 if f.path in unread else i + 1, "batch": f"{i // 3 + 1:06d}"}
        for i, f in enumerate(files)
    ]
    return pa.Table.from_pylist(rows, schemas.INGESTED)


def changed(
    files: Sequence[ListedFile], existing: Sequence[ListedFile]
) -> list[ListedFile]:
    (table,) = ListedFiles.of(files).tables()
    return [*to_files(find_changed(table, ingested(existing)))]


def test_only_new_files_are_found() -> None:
    listing = [file(f"{label}/0_100.jpg") for label in "ABC"]
    assert changed(listing, listing[:1]) == listing[1:]


LATER = NOON + timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("existing", "listed", "expected"),
    [
        (file("x"), file("x"), False),
        (file("x"), file("x", size=11), True),
        (file("x"), file("x", at=LATER), True),
        (file("x", at=LATER), file("x"), True),
        (file("x", etag="a"), file("x", etag="a"), False),
        (file("x", etag="a"), file("x", etag="b"), True),
        (file("x", etag="a"), file("x", at=LATER, etag="a"), False),
        (file("x", etag="a"), file("x", size=11, etag="a"), True),
        (file("x", etag="a"), file("x", at=LATER), True),
        (file("x", etag="a"), file("x"), False),
        (file("x"), file("x", at=LATER, etag="a"), True),
        (file("x", etag=""), file("x", etag="a"), False),
    ],
)
def test_photo_has_changed_if_size_etag_or_time_differs(
    existing: ListedFile, listed: ListedFile, expected: bool
) -> None:
    assert changed([listed], [existing]) == ([listed] if expected else [])


def test_photo_that_is_not_ingested_is_new() -> None:
    assert changed([file("x")], []) == [file("x")]


def test_time_zone_does_not_matter() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5)))
    assert changed([file("x", at=elsewhere)], [file("x")]) == []


@pytest.fixture(params=[1, 10, 1000])
def run_rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Sort runs of 1 to 1,000 rows, so that there are 100 ranges, or one."""
    monkeypatch.setattr(sorted_runs, "RUN_ROWS", request.param)
    monkeypatch.setattr(sorted_runs, "SAMPLED_ROWS", 1)
    rows: int = request.param
    return rows


FILES = [file(f"{label}/{i}.jpg", size=i) for i in range(12) for label in "CAB"]


def difference(
    files: Sequence[ListedFile],
    existing: pa.Table | None = None,
    archived: Sequence[str] = (),
    **values: Any,
) -> Differences:
    listing = Listing("photos", ListedFiles.of(files, archived), **values)
    rows = schemas.INGESTED.empty_table() if existing is None else existing
    return compare(listing, ExistingPhotos(lambda: [rows], 0), PARAMETERS)


def paths(tables: Iterator[pa.Table]) -> list[str]:
    return [path for table in tables for path in table["path"].to_pylist()]


@pytest.mark.usefixtures("run_rows")
def test_new_photos_are_sorted_and_divided_into_batches() -> None:
    found = difference([*FILES, file("A/notes.txt"), file("A/.hidden.jpg")])
    expected = sorted(f.path for f in FILES)
    assert [len(found.new.read(i)) for i in range(found.new.chunks)] == [7] * 5 + [1]
    assert paths(found.new.tables()) == found.paths.paths == expected
    assert (found.photos, len(found.gone)) == (36, 0)
    assert found.left_out.counts() == {".txt": 1, "hidden": 1}


@pytest.mark.usefixtures("run_rows")
def test_changed_gone_and_unread_photos_are_found_in_any_order() -> None:
    stored = [*FILES[:30], file("B/gone.jpg"), file("0.jpg"), file("Z/gone.jpg")]
    files = [f._replace(size_bytes=99) if f.path == "A/3.jpg" else f for f in FILES]
    found = difference(files, ingested(stored, unread=["B/4.jpg"]))
    new = {f.path for f in FILES[30:]} | {"A/3.jpg", "B/4.jpg"}
    assert paths(found.new.tables()) == sorted(new)
    assert paths(found.gone.tables()) == ["0.jpg", "B/gone.jpg", "Z/gone.jpg"]
    hashes = [h for _, values in found.listed.chunks() for h in values.tolist()]
    read = range(1, 31)
    unread = [f.path for f in stored].index("B/4.jpg") + 1
    assert sorted(hashes) == sorted({*read} - {unread} | {0})
    assert found.listed.numbers == {*range(1, 11)}
    assert found.photos == 36


@pytest.mark.usefixtures("run_rows")
def test_excluded_files_are_left_out_and_gone() -> None:
    excluded = {"A/1.jpg": FORGOTTEN, "C/2.jpg": FORGOTTEN}
    found = difference(FILES, ingested(FILES[:9]), excluded=excluded)
    assert found.left_out == LeftOut({FORGOTTEN: [*excluded]})
    assert paths(found.gone.tables()) == [*excluded]
    assert found.photos == 34


@pytest.mark.usefixtures("run_rows")
def test_archived_photos_wait_or_are_left_out() -> None:
    larger = [f._replace(size_bytes=99) for f in FILES]
    found = difference(larger, ingested(FILES[:9]), archived=["A/0.jpg", "A/9.jpg"])
    assert found.left_out == LeftOut({ARCHIVED: ["A/9.jpg"]})
    assert {"A/0.jpg", "A/9.jpg"}.isdisjoint(paths(found.new.tables()))
    assert (found.photos, len(found.gone), len(found.new)) == (35, 0, 34)


@pytest.mark.usefixtures("run_rows")
def test_photos_newer_than_the_listing_are_not_gone() -> None:
    stored = [*FILES, file("B/old.jpg"), file("B/new.jpg", at=LATER)]
    found = difference(FILES, ingested(stored), complete_until=LATER)
    assert paths(found.gone.tables()) == ["B/old.jpg"]
    assert (found.photos, found.unlisted) == (37, 1)


def test_rows_of_a_large_listing_are_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sorted_runs, "RUN_ROWS", 5)
    runs = sorted_runs.SortedRuns(schemas.LISTED, lambda: tmp_path)
    table = pa.concat_tables(ListedFiles.of(FILES).tables())
    for i in range(0, len(table), 4):
        runs.add(table.slice(i, 4))
    assert len(runs) == 36
    assert len([*tmp_path.rglob("*.arrow")]) == 7
    assert {*paths(runs.tables())} == {f.path for f in FILES}
    del runs
    assert not [*tmp_path.iterdir()]
