import os
import signal
import time
from pathlib import Path

import numpy as np
import poison
import pytest

from fruits_pipeline.imaging.isolation import GROUP, Failure, Limits, process_isolated
from fruits_pipeline.imaging.limits import limit_time

LIMIT = Limits(poison.SECONDS, 64)


def process(contents: list[bytes]) -> list[bytes | str]:
    """Process contents, and return the results, or the reasons of failures."""

    def decode(position: int) -> bytes:
        poison.swallow(contents[position])
        return b"decoded " + contents[position]

    results = process_isolated(decode, len(contents), LIMIT)
    return [r.reason if isinstance(r, Failure) else r for r in results]


def test_poison_photos_fail_with_a_reason_and_others_are_processed() -> None:
    contents = [b"first"]
    expected: list[bytes | str] = [b"decoded first"]
    for kind, (_, reason) in poison.KINDS.items():
        contents += [poison.photo(kind), kind.encode()]
        expected += [reason, b"decoded " + kind.encode()]
    assert process(contents) == expected


def test_results_of_several_groups_are_in_order() -> None:
    contents = [b"%d" % i for i in range(2 * GROUP + 1)]
    assert process(contents) == [b"decoded " + content for content in contents]
    assert process([]) == []


def test_large_results_are_complete() -> None:
    (result,) = process([bytes(10_000_000)])
    assert result == b"decoded " + bytes(10_000_000)


def test_photo_that_was_killed_once_is_processed_again(tmp_path: Path) -> None:
    marker = tmp_path / "marker"

    def decode(_: int) -> bytes:
        attempts = len(marker.read_bytes()) if marker.exists() else 0
        marker.write_bytes(bytes(attempts + 1))
        if attempts < 2:  # in the group, and alone
            os.kill(os.getpid(), signal.SIGKILL)
        return b"decoded"

    assert [*process_isolated(decode, 1, LIMIT)] == [b"decoded"]


def test_kept_memory_does_not_reject_the_next_photos() -> None:
    kept = []

    def decode(position: int) -> bytes:
        try:
            kept.extend(
                np.empty(2**27, np.uint8) for _ in range(99 if not position else 1)
            )
        except MemoryError:
            return b"too large"
        return b"decoded"

    assert [*process_isolated(decode, 4, LIMIT)] == [b"too large"] + 3 * [b"decoded"]


def test_child_processes_end_with_their_iterator() -> None:
    results = process_isolated(lambda _: b"%d" % os.getpid(), 3 * GROUP, LIMIT)
    (child,) = {int(next(results)) for _ in range(2)}  # type: ignore[arg-type]
    results.close()  # type: ignore[attr-defined]
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_time_is_not_limited_in_other_processes() -> None:
    for _ in limit_time(range(2), 0.01):
        time.sleep(0.02)
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
