import numpy as np
import pyarrow as pa
import pytest

from fruits_pipeline.datasets.delta import photo_hashes
from fruits_pipeline.datasets.delta.photo_hashes import PhotoHashes


@pytest.fixture(params=[3, 2**18])
def hashes(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> PhotoHashes:
    """Hashes of the batches 1, 2 and 7, in chunks of three photos, or one chunk."""
    monkeypatch.setattr(photo_hashes, "CHUNK_ROWS", request.param)
    monkeypatch.setattr(photo_hashes, "MEMORY_BYTES", 10)
    found = PhotoHashes()
    names = pa.chunked_array([["000001", "000002"], ["000001"]])
    found.add(names, np.array([10, 20, 11], np.uint64))
    found.add_batch("000007", np.array([70, 0, 2**64 - 1], np.uint64))
    return found


def test_hashes_are_found_with_their_batches(hashes: PhotoHashes) -> None:
    values, batches = hashes.find(np.array([11, 12, 20, 2**64 - 1], np.uint64))
    assert values.tolist() == [11, 20, 2**64 - 1]
    assert batches == {"000001", "000002", "000007"}
    values, batches = hashes.find(np.array([], np.uint64))
    assert (len(values), batches) == (0, set())


def test_hashes_of_an_added_batch_are_read(hashes: PhotoHashes) -> None:
    batch = hashes.of_batch("000007")
    assert batch is not None
    assert batch.tolist() == [70, 0, 2**64 - 1]
    assert hashes.of_batch("000001") is None
    assert hashes.numbers == {1, 2, 7}


def test_all_hashes_are_read_in_order(hashes: PhotoHashes) -> None:
    pairs = [
        pair
        for numbers, values in hashes.chunks()
        for pair in zip(numbers.tolist(), values.tolist(), strict=True)
    ]
    assert pairs == [(1, 10), (2, 20), (1, 11), (7, 70), (7, 0), (7, 2**64 - 1)]
