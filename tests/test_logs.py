import json
import logging
import sys
import warnings
from collections.abc import Iterator

import pytest

from fruits_pipeline import logs
from fruits_pipeline.exit_codes import RunError, UserError
from fruits_pipeline.printing import show
from fruits_pipeline.run_id import run_id


@pytest.fixture
def json_log(
    capsys: pytest.CaptureFixture[str],
) -> Iterator[pytest.CaptureFixture[str]]:
    """Write the log as JSON lines during a test."""
    logs.use_format("json")
    capsys.readouterr()
    yield capsys
    logs.use_format("text")


def read_lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    """Return the objects on standard error; fail if there is any other line."""
    output = capsys.readouterr()
    assert output.out == ""
    return [json.loads(line) for line in output.err.splitlines()]


def test_each_record_is_one_object(json_log: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("a.b").warning("Found %s\nand more", "é.jpg")
    (line,) = read_lines(json_log)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "WARNING",
        "logger": "a.b",
        "message": "Found é.jpg\nand more",
        "run_id": run_id(),
    }


def test_time_is_utc_with_milliseconds() -> None:
    record = logging.makeLogRecord({"created": 1_764_000_000.25, "msecs": 250.0})
    line = json.loads(logs.JsonFormatter().format(record))
    assert line["time"] == "2025-11-24T16:00:00.250Z"


def test_exceptions_have_a_traceback_without_credentials(
    json_log: pytest.CaptureFixture[str],
) -> None:
    try:
        raise RuntimeError("no connection to http://user:hunter-two@127.0.0.1")
    except RuntimeError:
        logging.getLogger("a").exception("Failed: %s", "https://u:hunter-two@host/")
    (line,) = read_lines(json_log)
    assert line["message"] == "Failed: https://***@host/"
    assert "Traceback" in line["exception"]
    assert "http://***@127.0.0.1" in line["exception"]
    assert "hunter-two" not in str(line)


def test_warnings_and_uncaught_exceptions_are_objects(
    json_log: pytest.CaptureFixture[str],
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old", stacklevel=1)
    error = ValueError("wrong")
    sys.excepthook(ValueError, error, None)
    warning, uncaught = read_lines(json_log)
    assert {"UserWarning:", "old"} <= {*warning["message"].split()}
    assert uncaught["level"] == "CRITICAL"
    assert uncaught["message"] == "ValueError: wrong"


def test_results_and_errors_are_part_of_the_json_log(
    json_log: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("fruits_pipeline").setLevel(logging.INFO)
    show(["Run summary: 3 photos"])
    UserError("Found this; expected that.").show()
    failure = RunError("Spark failed")
    failure.__cause__ = RuntimeError("in Java")
    failure.show()
    summary, error, failed = read_lines(json_log)
    assert (summary["level"], summary["message"]) == ("INFO", "Run summary: 3 photos")
    assert (error["level"], error["message"]) == (
        "ERROR",
        "Found this; expected that.",
    )
    assert "exception" not in error
    assert "RuntimeError: in Java" in failed["exception"]


def test_text_can_be_chosen_again(capsys: pytest.CaptureFixture[str]) -> None:
    handlers = [*logging.getLogger().handlers]
    logs.use_format("json")
    logs.use_format("json")
    logs.use_format("text")
    assert logging.getLogger().handlers == handlers
    assert sys.excepthook is sys.__excepthook__
    show(["Run summary: \x1b[2J"])
    UserError("Found this; expected that.").show()
    output = capsys.readouterr()
    assert output.out == "Run summary: \\x1b[2J\n"
    assert output.err == "Error: Found this; expected that.\n"


def test_later_settings_override_earlier_ones() -> None:
    assert logs.log_format({"log_format": "json"}, {}) == "json"
    assert logs.log_format({"log_format": "json"}, {"log_format": "text"}) == "text"
    assert logs.log_format({}, {}) == "text"
