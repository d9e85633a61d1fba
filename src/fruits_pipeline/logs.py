"""The log as text for people, or as JSON lines for programs.

`conf/logging.yml` configures the text. A program gets one JSON object per line on standard
error, with the keys time (UTC), level, logger, message, run_id, and exception if there is
one. Kedro configures the text before it reads any setting, so the handlers are replaced.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal

from fruits_pipeline.redaction import redact
from fruits_pipeline.run_id import run_id

LogFormat = Literal["text", "json"]
"""Setting: format of the log."""

VARIABLE = "FRUITS_LOG_FORMAT"
"""Environment variable with the format, for Java and for workers of this machine."""

logger = logging.getLogger(__name__)


class JsonFormatter(logging.Formatter):
    """Formats a record as a JSON object in one line, without credentials."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object."""
        time = datetime.fromtimestamp(record.created, UTC)
        line = {
            "time": f"{time:%Y-%m-%dT%H:%M:%S}.{record.msecs:03.0f}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": redact(record.getMessage()),
            "run_id": run_id(),
        }
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(
            line
        )  # in ASCII: terminals and file names can be in any encoding


class StderrHandler(logging.Handler):
    """Writes lines to what standard error is at that time, as some programs replace it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        try:
            sys.stderr.write(f"{self.format(record)}\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001 - as the handlers of the standard library
            self.handleError(record)


_replaced: list[logging.Handler] = []
"""The handlers of the text, while the log is JSON."""


def is_json() -> bool:
    """Return whether this process writes its log as JSON lines."""
    handlers = logging.getLogger().handlers
    return any(isinstance(handler.formatter, JsonFormatter) for handler in handlers)


def current() -> LogFormat:
    """Return the format of the log of this process."""
    return "json" if is_json() else "text"


def log_format(*settings: Mapping[str, Any]) -> LogFormat:
    """Return the format that settings choose; later ones override earlier ones."""
    chosen = [found["log_format"] for found in settings if "log_format" in found]
    return "json" if chosen and chosen[-1] == "json" else "text"


def use_format(chosen: LogFormat) -> None:
    """Set the format of the log of this process, and of processes that it starts later."""
    os.environ[VARIABLE] = chosen
    root = logging.getLogger()
    if chosen == "json":
        if not is_json():
            _replaced[:] = root.handlers
        log_as_json()
    elif is_json():
        root.handlers[:] = _replaced
        logging.captureWarnings(False)
        sys.excepthook = sys.__excepthook__


def log_as_json() -> None:
    """Write all log records, warnings and uncaught exceptions as JSON lines."""
    handler = StderrHandler()
    handler.setFormatter(JsonFormatter())
    logging.getLogger().handlers[:] = [handler]
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    logger.critical("%s: %s", kind.__name__, error, exc_info=(kind, error, trace))
