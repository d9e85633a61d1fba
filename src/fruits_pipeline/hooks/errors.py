"""Show messages to users, and keep tracebacks for developers."""

from __future__ import annotations

import logging
import tempfile
import time
import traceback
from pathlib import Path
from typing import NoReturn

import click
from kedro.framework.hooks import hook_impl
from kedro.pipeline.node import Node

from fruits_pipeline.spark.error_messages import in_words, is_for_users

logger = logging.getLogger(__name__)

TRACEBACKS = "errors.log"
"""File for developers, in the working directory, or else the temporary one."""


class ErrorHooks:
    """Shows users a message to act on, and keeps the traceback for developers."""

    def __init__(self) -> None:
        self.node = ""

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Note the node, for the message."""
        self.node = node.name

    @hook_impl
    def on_pipeline_error(self, error: Exception) -> None:
        """Raise a message instead of an error that a user can fix.

        Raises:
            click.ClickException: The error is one of those.
        """
        if in_words(error) is not None:
            raise_in_words(error, self.node)


def raise_in_words(error: Exception, node: str = "") -> NoReturn:
    """Raise a message instead of an error that a user can fix, and others as they are.

    Args:
        error: Any error.
        node: Name of the node that failed.

    Raises:
        click.ClickException: The error is one that a user can fix.
    """
    words = in_words(error)
    if words is None:
        raise error
    if not is_for_users(error):
        words += f" (in node {node or 'none'}; traceback in {_keep(error)})"
    raise click.ClickException(words) from error


def _keep(error: Exception) -> str:
    """Append a traceback to the first file that can be written; return its path."""
    text = "".join(traceback.format_exception(error))
    for folder in (Path.cwd(), Path(tempfile.gettempdir())):
        try:
            with (folder / TRACEBACKS).open("a") as file:
                file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')}\n{text}\n")
        except OSError:
            continue
        return str(folder / TRACEBACKS)
    logger.error("%s", text)
    return "the log"
