"""Error messages for Delta tables: storage, damaged logs and concurrent writers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from fruits_pipeline.errors import (
    REPAIR,
    FruitsError,
    TransientError,
    file_error_message,
    file_error_number,
    s3_access_denied_message,
)

IAM_ACTIONS = {"GET": "s3:GetObject", "HEAD": "s3:GetObject", "PUT": "s3:PutObject"}
"""IAM action that permits a request to an S3 object, by HTTP method."""


MAX_REASON = 150
"""Number of characters of an error of delta-rs in a message."""


class DamagedLogError(FruitsError):
    """The storage is reachable, but the log of a table is damaged."""


class ConcurrentRunError(TransientError):
    """Another run has changed a table or model since this run loaded or prepared it."""


_DAMAGE = (KeyError, TypeError, ValueError)
"""Errors of code that interprets the actions and properties of a damaged log."""


@contextmanager
def translate_delta_errors(location: str) -> Iterator[None]:
    """Raise a `FruitsError` instead of errors of delta-rs, except missing tables.

    Raises:
        TableNotFoundError: There is no table.
        FruitsError: Any other error of delta-rs, an `OSError`, or an error of code that
            interprets a damaged log.
    """
    try:
        yield
    except TableNotFoundError as exc:
        if file_error_number(str(exc)):  # its folder cannot be created
            raise _error(location, str(exc)) from exc
        raise
    except CommitFailedError as exc:
        raise concurrent_run_error(location) from exc
    except (DeltaError, OSError) as exc:
        if "already exists" in str(exc):  # another run has just created the table
            raise concurrent_run_error(location) from exc
        raise _error(location, str(exc)) from exc
    except _DAMAGE as exc:
        raise damaged_log_error(location, f"{type(exc).__name__}: {exc}") from exc
    except BaseException as exc:
        # delta-rs panics if the log violates its assumptions.
        if type(exc).__name__ == "PanicException":
            raise damaged_log_error(location, str(exc)) from exc
        raise


def _error(location: str, error: str) -> FruitsError:
    if denied := _denied_action(location, error):
        return FruitsError(s3_access_denied_message(*denied))
    number = file_error_number(error)
    if number and (message := file_error_message(location, number)):
        return FruitsError(message)
    if re.search(r"Generic \w+ error|error sending request|Error performing", error):
        return TransientError(
            f"Found {location} not reachable ({_one_line(error)}); expected a reachable "
            "storage. Check the connection and the credentials, and run again."
        )
    return damaged_log_error(location, error)


def _denied_action(location: str, error: str) -> tuple[str, str] | None:
    """Return the IAM action and the ARN of a denied request; None if none was denied."""
    deletion = re.search(
        r"DeleteObjects request failed for key (.+) Access Denied \(", _one_line(error)
    )
    if deletion:
        bucket = location.partition("://")[2].partition("/")[0]
        return "s3:DeleteObject", f"arn:aws:s3:::{bucket}/{deletion[1]}"
    request = re.search(r"Error performing ([A-Z]+) \w+://[^/]+/(\S+)", error)
    if request is None or "403 Forbidden" not in error:
        return None
    method, path = request.groups()
    is_listing = "list-type=" in path
    action = "s3:ListBucket" if is_listing else IAM_ACTIONS.get(method, method)
    return action, f"arn:aws:s3:::{path.partition('?')[0]}"


def damaged_log_error(location: str, reason: str) -> DamagedLogError:
    """Return the error for a log that delta-rs cannot read.

    Args:
        location: Path or URL of the table.
        reason: Message of an error.
    """
    return DamagedLogError(
        f"Found {location}/_delta_log damaged ({_shorten(reason)}); expected the log of a "
        f"Delta table. {REPAIR}"
    )


def _shorten(error: str) -> str:
    """Return an error of delta-rs without its kind, its stack trace and long values."""
    text = re.sub(
        r"^(?:(?:Kernel|Generic delta kernel) error: )+", "", _one_line(error)
    )
    text = re.sub(r" 0: <unknown>.*", "", text).rstrip(".")
    return f"{text[:MAX_REASON]}…" if len(text) > MAX_REASON else text


def _one_line(text: str) -> str:
    return " ".join(re.sub(r"\x1b\[\d*m|\u21b3", "", text).split())


def concurrent_run_error(location: str) -> ConcurrentRunError:
    """Return the error of a run whose table another run has changed since."""
    return ConcurrentRunError(
        f"Found that another run has begun to write to {location}; expected one run at a "
        "time for each `root`. The batches that this run committed are kept. Wait until "
        "the other run has ended, and run again."
    )


def check_location(location: str) -> None:
    """Check that Delta Lake supports the characters of a local path.

    Raises:
        FruitsError: It does not.
    """
    if "://" in location:
        return
    problem = ""
    if unquote(location) != location:
        problem = "a percent sign with two hexadecimal digits"
    elif re.search(r"[\x00-\x1f\x7f\\]", location):
        problem = "a backslash or control character"
    if problem:
        raise FruitsError(
            f"Found {problem} in {location!r}; expected a path without, because Delta Lake "
            "decodes it to another path. Rename the folder, or choose another `root`."
        )
