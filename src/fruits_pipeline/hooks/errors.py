"""Replace errors that users can fix by their message, and store other tracebacks."""

from __future__ import annotations

import logging
import os
import tempfile
import time
import traceback
from pathlib import Path
from typing import NoReturn

from kedro.framework.hooks import hook_impl
from kedro.pipeline.node import Node

from fruits_pipeline.exit_codes import RunError, UserError
from fruits_pipeline.redaction import printable, protect_logs, redact
from fruits_pipeline.spark.error_messages import (
    is_transient,
    is_user_error,
    user_message,
)

logger = logging.getLogger(__name__)

TRACEBACK_FILE = "errors.log"
"""In the first writable folder of `LOGS_DIRECTORY`, which systemd sets for a service, the
working directory and the temporary directory."""


class ErrorHooks:
    """Shows users a message instead of a traceback, for errors of this project or Spark."""

    def __init__(self) -> None:
        self.node = ""

    @hook_impl(tryfirst=True)
    def after_context_created(self) -> None:
        """Remove credentials from log messages; the loggers are configured by now."""
        protect_logs()

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Remember the name of the node, for the message."""
        self.node = node.name

    @hook_impl
    def on_pipeline_error(self, error: Exception) -> None:
        """Raise the message for an error, if there is one; else Kedro raises the error.

        Raises:
            RunError: There is a message for the error.
        """
        if user_message(error) is not None or _contains_credentials(error):
            raise_for_user(error, self.node)


def raise_for_user(error: Exception, node: str = "") -> NoReturn:
    """Raise the message for an error, or the error itself if there is no message.

    If no user can fix the error, the message also states the node and the file with the
    traceback. Credentials are removed from both; an error that contains some is not
    raised itself, because its traceback would be printed.

    Args:
        error: Any error.
        node: Name of the failed node; empty if no node was running.

    Raises:
        UserError: A user must change something; `exit_codes` has the meaning.
        RunError: There is a message for another error.
    """
    message = user_message(error)
    if message is None and not _contains_credentials(error):
        raise error
    message = message or f"{type(error).__name__}: {error}"
    if not is_user_error(error):
        file = _store_traceback(error)
        message += f" (in node {node or 'none'}; traceback in {file})"
    shown = RunError if is_transient(error) else UserError
    raise shown(printable(redact(message))) from error


def _contains_credentials(error: Exception) -> bool:
    text = "".join(traceback.format_exception(error))
    return redact(text) != text


def _store_traceback(error: Exception) -> str:
    """Append the traceback to the first writable file, and return its path."""
    text = redact("".join(traceback.format_exception(error)))
    service_logs = os.environ.get("LOGS_DIRECTORY")
    folders = [lambda: service_logs] if service_logs else []
    for find_folder in (*folders, os.getcwd, tempfile.gettempdir):
        try:
            path = Path(find_folder(), TRACEBACK_FILE)
            with path.open("a") as file:
                file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')}\n{text}\n")
        except OSError:
            continue
        return str(path)
    logger.error("%s", text)
    return "the log"
