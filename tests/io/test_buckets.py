from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.buckets import buckets_of, check_bucket

REGIONS = ["eu-west-1", "eu-west-3"]


@contextmanager
def s3_that_answers(status: int, code: str) -> Iterator[str]:
    """Serve one error, as S3 documents it, to every request; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            body = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>"
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (404, "NoSuchBucket", "set FRUITS_BUCKET"),
        (403, "AccessDenied", "s3:GetBucketLocation on arn:aws:s3:::fruits"),
        (403, "RequestTimeTooSkewed", "clock of this machine is wrong"),
        (400, "ExpiredToken", "credentials have expired"),
        (400, "AuthorizationHeaderMalformed", "AWS_REGION is not the region"),
    ],
)
def test_what_s3_refuses_is_said_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, status: int, code: str, words: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    with s3_that_answers(status, code) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        with pytest.raises(FruitsError) as caught:
            check_bucket("fruits", REGIONS)
    assert code in str(caught.value)
    assert words in str(caught.value)


def test_buckets_are_those_of_places_on_s3_each_once() -> None:
    places = ["s3://b/photos", "s3a://a/x", "s3://b", "/data/s3", "data/x", ""]
    assert buckets_of(places) == ["a", "b"]
