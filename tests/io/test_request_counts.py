import asyncio
from threading import Thread

import fsspec
import pytest
from fake_s3 import Bucket

from fruits_pipeline.io.request_counts import (
    SENT,
    RequestCounter,
    Requests,
    category,
)


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("PutObject", Requests(writes=1)),
        ("CopyObject", Requests(writes=1)),
        ("UploadPart", Requests(writes=1)),
        ("CreateMultipartUpload", Requests(writes=1)),
        ("ListObjectsV2", Requests(writes=1)),
        ("GetObject", Requests(reads=1)),
        ("HeadObject", Requests(reads=1)),
        ("GetBucketLocation", Requests(reads=1)),
        ("DeleteObject", Requests()),
        ("DeleteObjects", Requests()),
        ("AbortMultipartUpload", Requests()),
    ],
)
def test_operations_are_in_the_categories_that_s3_bills(
    operation: str, expected: Requests
) -> None:
    assert category(operation) == expected


def test_requests_of_all_threads_are_counted() -> None:
    counter = RequestCounter()

    def count() -> None:
        for _ in range(1000):
            counter.add_sent("before-send.s3.GetObject", request=None)

    threads = [Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.total == Requests(0, 4000)


def test_requests_of_the_s3_client_are_counted(bucket: Bucket) -> None:
    url = bucket.put({"a/1.jpg": b"1", "a/2.jpg": b"2"})
    files = fsspec.filesystem("s3", skip_instance_cache=True)
    before = SENT.total
    assert files.cat_file(f"{url}/a/1.jpg") == b"1"
    assert SENT.total.minus(before) == Requests(reads=1)
    assert len(files.find(f"{url}/a")) == 2
    assert SENT.total.minus(before) == Requests(writes=1, reads=1)
    files.pipe_file(f"{url}/a/3.jpg", b"3")
    assert SENT.total.minus(before) == Requests(writes=2, reads=1)
    asyncio.run_coroutine_threadsafe(
        files.set_session(refresh=True), files.loop
    ).result()
    assert files.cat_file(f"{url}/a/2.jpg") == b"2"
    assert SENT.total.minus(before) == Requests(writes=2, reads=2)
