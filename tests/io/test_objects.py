import threading
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from factories import listed
from fake_s3 import Bucket, fixed_response

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io import object_pages, objects
from fruits_pipeline.io.files import read_files
from fruits_pipeline.io.left_out import LeftOut
from fruits_pipeline.io.object_listing import list_objects, walk_objects
from fruits_pipeline.io.s3 import PatientS3

KEYS = [
    "photos/Apple/1.jpg",
    "photos//Pear/lead.jpg",
    "photos/Pear//mid.jpg",
    "photos/./Dot/x.jpg",
    "photos/../Up/x.jpg",
    "photos/Plum/a+b c%20d&e=f.jpg",
    "photos/Plum/\u00e9 🍎#1?x.jpg",
    "photos/Plum/a?versionId=b.jpg",
    "photos/Plum/a::b [c]*.jpg",
    "photos/Plum/a\\b.jpg",
    "photos/Fig/same.jpg",
    "photos/Fig/same.jpg/inner.jpg",
    "photos/Fig/ end ",
]
OTHER_KEYS = ["photos", "photos-old/Old/x.jpg", "photo/x.jpg"]


@pytest.mark.parametrize("slash", ["", "/"])
def test_objects_are_listed_and_read_by_their_exact_keys(
    bucket: Bucket, slash: str
) -> None:
    url = bucket.put({key: key.encode() for key in KEYS + OTHER_KEYS})
    found = list_objects(f"{bucket.name}/photos")
    paths = [file.path for file in found.files]
    assert {f"photos/{path}" for path in paths} == {*KEYS}
    contents = read_files(f"{url}/photos{slash}", found.files, requests_in_flight=4)
    assert [c.content for c in contents] == [f"photos/{p}".encode() for p in paths]
    assert [c.etag for c in contents] == [file.etag for file in found.files]


def test_bucket_is_listed_and_read(bucket: Bucket) -> None:
    keys = [*KEYS, *OTHER_KEYS, "/x.jpg", "//y.jpg"]
    url = bucket.put({key: key.encode() for key in keys})
    files = list_objects(bucket.name).files
    assert {file.path for file in files} == {*keys}
    contents = read_files(url, files, requests_in_flight=4)
    assert [c.content for c in contents] == [file.path.encode() for file in files]


def test_object_has_size_time_and_etag(bucket: Bucket) -> None:
    bucket.put({"x.jpg": b"12345"})
    (file,) = list_objects(bucket.name).files
    assert (file.size_bytes, file.etag) == (5, "827ccb0eea8a706c4c34a16891f84e7b")
    assert abs(file.modified_at - datetime.now(UTC)) < timedelta(minutes=5)


def test_more_objects_than_one_response_contains_are_listed(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put({f"{i}.jpg": b"" for i in range(7)})
    use_small_pages(monkeypatch)
    assert len(list_objects(bucket.name).files) == 7


def use_small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """List two keys with each request."""
    request = objects.ExactKeys.call_s3

    def small_pages(*args: object, **kwargs: Any) -> object:
        return request(*args, **{"MaxKeys": 2} | kwargs)

    monkeypatch.setattr(objects.ExactKeys, "call_s3", small_pages)


@pytest.mark.parametrize("pages", [1, 2, 5])
def test_ranges_of_keys_are_listed_in_parallel(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, pages: int
) -> None:
    folders = ["a/", "all/x/", "all/y/", "all/y/y/", "b//", "", "z", "\u00e9/", "🍎/"]
    keys = {f"p/{f}{i}.jpg" for f in folders for i in range(4)}
    bucket.put(dict.fromkeys([*keys, "p/all/", "p/b/", "other/x.jpg"], b"1"))
    use_small_pages(monkeypatch)
    monkeypatch.setattr(object_pages, "PAGES_IN_ORDER", pages)
    found = [file.path for file in list_objects(f"{bucket.name}/p").files]
    assert sorted(f"p/{path}" for path in found) == sorted([*keys, "p/all/", "p/b/"])


def test_error_of_a_range_is_raised_by_the_listing(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put({f"{label}/{i}.jpg": b"" for label in "abcdef" for i in range(9)})
    use_small_pages(monkeypatch)
    request = objects.ExactKeys.call_s3

    def failing(*args: object, **kwargs: Any) -> object:
        if str(kwargs.get("StartAfter")).startswith("b"):
            raise PermissionError("denied")
        return request(*args, **kwargs)

    monkeypatch.setattr(objects.ExactKeys, "call_s3", failing)
    monkeypatch.setattr(object_pages, "PAGES_IN_ORDER", 1)
    with pytest.raises(FruitsError, match="s3://.*denied"):
        list_objects(bucket.name)


def test_listing_that_is_not_read_to_the_end_is_stopped(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put({f"{label}/{i}.jpg": b"" for label in "abcdef" for i in range(99)})
    use_small_pages(monkeypatch)
    monkeypatch.setattr(object_pages, "PAGES_IN_ORDER", 1)
    entries = walk_objects(bucket.name)
    assert len({entry.path for entry in islice(entries, 9)}) == 9
    entries.close()
    assert not [t for t in threading.enumerate() if "ThreadPool" in t.name]


def test_archived_objects_are_marked(bucket: Bucket) -> None:
    archived = {"GLACIER", "DEEP_ARCHIVE"}
    for name in (*archived, "GLACIER_IR", "STANDARD_IA", "INTELLIGENT_TIERING"):
        bucket.put({f"{name}.jpg": b"1"}, name)
    found = list_objects(bucket.name)
    assert len(found.files) == 5
    assert found.archived == {f"{name}.jpg" for name in archived}


def test_objects_below_root_are_left_out(bucket: Bucket) -> None:
    bucket.put({"x.jpg": b"", "data/a.png": b"", "data-old/y.jpg": b"", "data": b""})
    found = list_objects(bucket.name, f"{bucket.name}/data")
    assert {file.path for file in found.files} == {"x.jpg", "data-old/y.jpg", "data"}
    assert found.left_out == LeftOut({"below root": ["data/a.png"]})


def test_objects_are_listed_if_they_are_below_root(bucket: Bucket) -> None:
    bucket.put({"data/01_raw/x.jpg": b""})
    found = list_objects(f"{bucket.name}/data/01_raw", f"{bucket.name}/data")
    assert [file.path for file in found.files] == ["x.jpg"]


def test_missing_prefix_and_object_are_errors(bucket: Bucket) -> None:
    bucket.put({"photos/x.jpg": b"", "photos.zip": b""})
    with pytest.raises(FileNotFoundError):
        list_objects(f"{bucket.name}/photo")
    with pytest.raises(NotADirectoryError):
        list_objects(f"{bucket.name}/photos.zip")


@pytest.mark.usefixtures("bucket")
def test_missing_bucket_is_an_error_with_its_name() -> None:
    with pytest.raises(FruitsError, match="s3://no-such-bucket .*NoSuchBucket"):
        list_objects("no-such-bucket/photos")
    with pytest.raises(FruitsError, match="s3://no-such-bucket .*NoSuchBucket"):
        list_objects("no-such-bucket")


@pytest.fixture
def separate_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connect each client to the endpoint of its test."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setattr(objects.ExactKeys, "cachable", False)


@pytest.mark.usefixtures("separate_clients")
def test_restored_objects_are_not_archived(monkeypatch: pytest.MonkeyPatch) -> None:
    expiry = "<RestoreExpiryDate>2026-12-24T00:00:00Z</RestoreExpiryDate>"
    states = {"restored.jpg": expiry, "requested.jpg": "", "x.jpg": None}
    contents = "".join(
        f"<Contents><Key>{key}</Key><LastModified>2026-11-01T00:00:00Z</LastModified>"
        f"<Size>1</Size><StorageClass>GLACIER</StorageClass>"
        + ("" if date is None else f"<RestoreStatus>{date}</RestoreStatus>")
        + "</Contents>"
        for key, date in states.items()
    )
    body = f"<ListBucketResult>{contents}</ListBucketResult>"
    with fixed_response(200, body) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        found = list_objects("bucket")
    assert found.archived == {"requested.jpg", "x.jpg"}


@pytest.mark.usefixtures("separate_clients")
def test_unreachable_store_is_an_error_with_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(PatientS3, "patience", 0)
    for request in (
        lambda: list_objects("bucket"),
        lambda: read_files("s3://bucket", listed("x.jpg", size=1), 1),
    ):
        with pytest.raises(FruitsError, match="s3://bucket.* does not respond"):
            request()
