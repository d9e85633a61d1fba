import hashlib
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pyarrow as pa
import pytest
from factories import NOON, listing, record_batch, run_without_privileges, write_files
from fake_s3 import Bucket

from fruits_pipeline import schemas
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io import objects
from fruits_pipeline.io.s3 import PatientS3
from fruits_pipeline.spark.fetching import MAX_PHOTO_BYTES, fetch

RULES = [re.compile(r"(?P<label>[^/]+)/.+")]


def read(*batches: pa.RecordBatch) -> list[pa.RecordBatch]:
    """Read the photos of a listing."""
    return [*fetch(iter(batches), RULES, requests_in_flight=4)]


def errors(
    root: Path | str, *paths: str, size: int | None = None
) -> dict[str, str | None]:
    """Return the error of each photo by path, after a check of the other columns."""
    (photos,) = read(listing(root, *paths, size=size))
    assert photos.schema == schemas.FETCHED
    for name in ("photo_id", "content"):
        assert photos[name].is_null() == photos["error"].is_valid()
    rows = photos.to_pylist()
    assert [row["path"] for row in rows] == [*paths]
    return {row["path"]: row["error"] for row in rows}


SPECIAL_NAMES = [
    "a b/c d.jpg",
    "100%/%20.jpg",
    "#1/x#y?z.jpg",
    "[a]/[0-9]*.jpg",
    "{b}/~x.jpg",
    "🍎/Pe\u0302che.jpg",
    'a\\b/it\'s "x".jpg',
    "s3::x/http:y.jpg",
]


@pytest.mark.parametrize("kind", ["local", "s3"])
def test_photo_names_may_contain_special_characters(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    contents = {name: name.encode() for name in SPECIAL_NAMES}
    if kind == "local":
        root = str(write_files(tmp_path / "[my] #photos%20::x", contents))
    else:
        bucket: Bucket = request.getfixturevalue("bucket")
        root = bucket.put(contents)
    listed = [listing(root, name, size=len(contents[name])) for name in contents]
    photos = pa.Table.from_batches(read(*listed))
    assert photos["content"].to_pylist() == [*contents.values()]
    digests = [hashlib.sha256(content).hexdigest() for content in contents.values()]
    assert photos["photo_id"].to_pylist() == digests


def test_photo_has_the_columns_of_its_listing(tmp_path: Path) -> None:
    write_files(tmp_path, {"x.jpg": b"1"})
    listed = {"path": "x.jpg", "size_bytes": 1, "modified_at": NOON, "etag": "abc"}
    (photos,) = read(record_batch([listed | {"root": str(tmp_path)}], schemas.LISTING))
    (row,) = photos.to_pylist()
    computed = {
        **dict.fromkeys(["label", "split", "series"]),
        "photo_id": hashlib.sha256(b"1").hexdigest(),
        "content": b"1",
        "error": None,
        "retries": 0,
    }
    assert row == listed | computed


def test_each_batch_is_read_from_its_own_root(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_files(tmp_path / name, {"x.jpg": name.encode()})
    stores = [listing(tmp_path / name, "x.jpg") for name in ("one", "two")]
    contents = [photos["content"].to_pylist() for photos in read(*stores)]
    assert contents == [[b"one"], [b"two"]]


def test_vanished_photo_has_an_error(tmp_path: Path) -> None:
    write_files(tmp_path, {"a/1.jpg": b"1", "c/3.jpg": b"3"})
    paths = ["a/1.jpg", "b/2.jpg", "gone/c.jpg", "c/3.jpg"]
    deleted = "deleted after it was listed"
    assert [*errors(tmp_path, *paths).values()] == [None, deleted, deleted, None]


def test_empty_photo_is_kept(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.jpg": b""})
    (photos,) = read(listing(tmp_path, "a.jpg", size=0))
    assert photos["content"].to_pylist() == [b""]


def test_photo_without_read_permission_has_an_error(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.jpg": b"1", "b c.jpg": b"2"})
    (tmp_path / "b c.jpg").chmod(0)
    found = run_without_privileges(lambda: repr(errors(tmp_path, "a.jpg", "b c.jpg")))
    assert "'a.jpg': None" in found
    assert "'b c.jpg': 'cannot be read: permission denied" in found


def test_folder_with_the_name_of_a_photo_has_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").mkdir()
    assert "folder" in (errors(tmp_path, "x.jpg")["x.jpg"] or "")


def test_large_photo_is_not_read(tmp_path: Path) -> None:
    write_files(tmp_path, {"x.jpg": b"1"})
    assert "larger" in (
        errors(tmp_path, "x.jpg", size=MAX_PHOTO_BYTES + 1)["x.jpg"] or ""
    )
    assert "changed" in (errors(tmp_path, "x.jpg", size=MAX_PHOTO_BYTES)["x.jpg"] or "")


def test_missing_object_has_an_error(bucket: Bucket) -> None:
    root = bucket.put({"a//1.jpg": b"1"})
    found = errors(f"{root}/a", "/1.jpg", "1.jpg", size=1)
    assert found == {"/1.jpg": None, "1.jpg": "deleted after it was listed"}


def test_archived_object_has_an_error(bucket: Bucket) -> None:
    bucket.put({"a.jpg": b"1"})
    root = bucket.put({"cold.jpg": b"2"}, "GLACIER")
    found = errors(root, "a.jpg", "cold.jpg", size=1)
    assert found["a.jpg"] is None
    assert "archived in S3" in (found["cold.jpg"] or "")


def test_each_photo_takes_one_request(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = []
    send = PatientS3.send

    async def count(self: Any, method: str, *args: Any, **kw: Any) -> Any:
        requests.append((method, kw["Key"]))
        return await send(self, method, *args, **kw)

    monkeypatch.setattr(PatientS3, "send", count)
    root = bucket.put({f"{i}.jpg": b"1" for i in range(9)})
    errors(root, *(f"{i}.jpg" for i in range(9)), size=1)
    assert sorted(requests) == [("get_object", f"{i}.jpg") for i in range(9)]


@pytest.fixture
def responses(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, tuple[int, str]]]:
    """Run a server that sends status and error code by key; fill the returned dictionary."""
    found: dict[str, tuple[int, str]] = {}

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Log nothing."""

        def do_GET(self) -> None:
            status, code = found[self.path]
            body = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>"
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setattr(PatientS3, "patience", 0)
    monkeypatch.setattr(objects.ExactKeys, "cachable", False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        yield found
        server.shutdown()


def test_denied_object_has_an_error(responses: dict[str, tuple[int, str]]) -> None:
    responses |= {"/b/a.jpg": (200, "-"), "/b/denied.jpg": (403, "AccessDenied")}
    found = errors("s3://b", "a.jpg", "denied.jpg", size=49)
    assert found["a.jpg"] is None
    assert "allow s3:GetObject" in (found["denied.jpg"] or "")


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (503, "SlowDown", "s3://b/x.jpg does not respond"),
        (500, "InternalError", "s3://b/x.jpg does not respond"),
        (400, "ExpiredToken", "credentials have expired"),
        (403, "RequestTimeTooSkewed", "clock of this machine is wrong"),
    ],
)
def test_error_of_the_store_is_raised_with_its_name(
    responses: dict[str, tuple[int, str]], status: int, code: str, message: str
) -> None:
    responses |= {"/b/x.jpg": (status, code)}
    with pytest.raises(FruitsError, match=message) as caught:
        read(listing("s3://b", "x.jpg"))
    assert code in str(caught.value)


def test_missing_bucket_is_an_error_with_its_name(bucket: Bucket) -> None:
    with pytest.raises(FruitsError, match=f"s3://{bucket.name}-x cannot be read"):
        read(listing(f"s3://{bucket.name}-x", "x.jpg"))
