import io
import logging
import re
from collections.abc import Callable

import pytest
from rich.console import Console

from fruits_pipeline.spark.progress import track


def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=100)


def no_terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=False, width=100)


def output(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", console.file.getvalue())


def test_batches_are_logged_without_terminal(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    console = no_terminal()
    with track("features", 2, console) as advance:
        advance(1000)
        advance(500)
    first, last = caplog.messages
    pattern = r"features: %d of 2 batches, \d+ photos/s, \d+ s left"
    assert re.fullmatch(pattern % 1, first)
    assert re.fullmatch(pattern % 2, last)
    assert last.endswith(" 0 s left")
    assert output(console) == ""


def test_terminal_shows_a_bar_but_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    console = terminal()
    with track("features", 2, console) as advance:
        advance(1000)
        advance(500)
    last = output(console).rstrip().splitlines()[-1]
    assert "features" in last
    assert "2/2 batches" in last
    assert re.search(r"[1-9][\d,]* photos/s", last)
    assert not caplog.messages


@pytest.mark.parametrize("make", [terminal, no_terminal])
def test_no_batches_are_one_log_line(
    make: Callable[[], Console], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    console = make()
    with track("features", 0, console) as advance:
        advance(0)
    assert caplog.messages == ["features: nothing new"]
    assert output(console) == ""


def test_error_is_raised_and_the_cursor_restored() -> None:
    console = terminal()
    with (
        pytest.raises(ValueError, match="batch 2"),
        track("features", 3, console) as advance,
    ):
        advance(10)
        raise ValueError("batch 2")
    assert "1/3 batches" in output(console)
    assert console.file.getvalue().endswith("\x1b[?25h")  # type: ignore[attr-defined]
