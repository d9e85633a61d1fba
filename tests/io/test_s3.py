from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

import pytest
from factories import run_python
from fake_s3 import Bucket
from faulty_s3 import Faults, faulty_s3

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.files import FileContent, read_file, read_files, write_file
from fruits_pipeline.io.listing import ListedFile
from fruits_pipeline.io.object_listing import list_objects
from fruits_pipeline.io.read_errors import PhotoError
from fruits_pipeline.io.s3 import PatientS3

PHOTOS = {f"{i}.jpg": bytes([i]) * 500 for i in range(24)}

FaultyBucket = Callable[[Faults], str]


@pytest.fixture
def faulty_bucket(
    bucket: Bucket, s3_server: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FaultyBucket]:
    """Return a function that lets requests to a bucket with `PHOTOS` fail."""
    monkeypatch.setattr(PatientS3, "cachable", False)
    monkeypatch.setattr("fruits_pipeline.io.s3.BACKOFF", ShortBackoff())
    bucket.put(PHOTOS)
    with ExitStack() as stack:

        def start(faults: Faults) -> str:
            url = stack.enter_context(faulty_s3(s3_server, faults))
            monkeypatch.setenv("AWS_ENDPOINT_URL", url)
            return bucket.name

        yield start


class ShortBackoff:
    """A back-off for tests."""

    def delay_amount(self, _: object) -> float:
        return 0.01


def read(name: str, files: list[ListedFile]) -> dict[str, FileContent]:
    """Read the photos of a bucket by path."""
    contents = read_files(f"s3://{name}", files, requests_in_flight=8)
    return {f.path: content for f, content in zip(files, contents, strict=True)}


@pytest.mark.parametrize(
    "rates",
    [
        {"slow_down": 0.2, "reset": 0.2, "truncate": 0.5},
        {"shorten": 0.4, "internal_error": 0.2},
        {"flip": 0.5},
        {"stall": 0.1, "stall_body": 0.1},
    ],
    ids=" ".join,
)
def test_photos_of_a_faulty_store_are_read(
    faulty_bucket: FaultyBucket,
    rates: Mapping[str, float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fruits_pipeline.io.s3.READ_TIMEOUT", 0.3)
    faults = Faults(rates, seed=1)
    name = faulty_bucket(faults)
    found = read(name, list_objects(name).files)
    assert {path: result.content for path, result in found.items()} == PHOTOS
    retries = sum(result.retries for result in found.values())
    repeated = faults.repeated_reads(f"/{name}")
    # aiohttp repeats a request by itself if a connection that it has kept is closed.
    assert 0 < repeated - faults.counts["reset"] <= retries <= repeated


def test_files_are_written_and_read_on_a_faulty_store(
    faulty_bucket: FaultyBucket,
) -> None:
    rates = {"slow_down": 0.2, "reset": 0.2, "truncate": 0.3, "lose_response": 0.3}
    name = faulty_bucket(Faults(rates, seed=2))
    for i in range(5):
        write_file(f"s3://{name}/data/{i}", b"content")
        assert read_file(f"s3://{name}/data/{i}") == b"content"


def test_photo_that_is_never_delivered_has_an_error(
    faulty_bucket: FaultyBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PatientS3, "patience", 0.5)
    name = faulty_bucket(Faults({"internal_error": 1.0}, path="7.jpg"))
    found = read(name, list_objects(name).files)
    error = found.pop("7.jpg").content
    assert isinstance(error, PhotoError)
    assert "does not deliver it (InternalError)" in str(error)
    assert {path: found[path].content for path in found} == {
        path: PHOTOS[path] for path in found
    }
    (alone,) = read(
        name, [f for f in list_objects(name).files if f.path == "7.jpg"]
    ).values()
    assert isinstance(alone.content, PhotoError)


def test_store_that_delivers_nothing_is_an_error(
    faulty_bucket: FaultyBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PatientS3, "patience", 0.2)
    name = faulty_bucket(Faults({"slow_down": 1.0}, path=r".+\.jpg"))
    with pytest.raises(FruitsError, match="does not respond .SlowDown"):
        read(name, list_objects(name).files)


def test_changed_photo_has_the_etag_of_its_content_or_an_error(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fruits_pipeline.io.s3.BACKOFF", ShortBackoff())
    bucket.put({"same.jpg": b"1234", "longer.jpg": b"1234"})
    files = list_objects(bucket.name).files
    bucket.put({"same.jpg": b"abcd", "longer.jpg": b"abcde"})
    etags = {file.path: file.etag for file in list_objects(bucket.name).files}
    found = read(bucket.name, files)
    assert (found["same.jpg"].content, found["same.jpg"].etag) == (
        b"abcd",
        etags["same.jpg"],
    )
    assert isinstance(found["longer.jpg"].content, PhotoError)


COMMITS = """
import sys
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.transaction import AddAction
from fruits_pipeline.datasets.delta.requests import commit_once, open_delta_table

url = sys.argv[1]
schema = pa.schema([("x", pa.int64()), ("batch", pa.string())])

def properties(identity):
    return CommitProperties(
        custom_metadata={**identity}, app_transactions=[Transaction("writer", 1)]
    )

commit_once(url, lambda identity: DeltaTable.create(
    url, schema, partition_by=["batch"], commit_properties=properties(identity)
))
table = open_delta_table(url)
for i in range(6):
    file = AddAction(f"batch={i}/x", 1, {"batch": str(i)}, 1, True, '{"numRecords": 1}')
    commit_once(url, lambda identity: table.create_write_transaction(
        [file], "append", table.schema(), partition_by=["batch"],
        commit_properties=properties(identity),
    ))
    table = open_delta_table(url)
print(table.version(), len(pa.table(table.get_add_actions())))
"""


def test_commits_whose_response_is_lost_are_neither_repeated_nor_conflicts(
    faulty_bucket: FaultyBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    faults = Faults({"lose_response": 0.5, "reset": 0.1}, seed=2)
    name = faulty_bucket(faults)
    # In another process, because delta-rs does not let the proxy run while it waits.
    assert run_python("-c", COMMITS, f"s3://{name}/table").split() == ["6", "6"]
    assert faults.counts["lose_response"] > 1
