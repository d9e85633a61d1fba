"""Exit codes of all commands, by which a service decides whether to repeat a failed run.

- 0: success.
- 1: an error that the same command may not have later: the storage does not respond,
  another run uses the root, a worker was killed, or an unexpected error. `predict` and
  `similar` also exit with 1 if they could not read some of the photos.
- 2: an error that remains until a user changes something: options, parameters, permissions,
  photos or tables. Do not repeat the command.

A process that is ended by a signal has the exit code of the shell, 128 and the signal.
"""

from __future__ import annotations

import logging
from typing import IO, Any, Final

import click

from fruits_pipeline.logs import is_json

TRANSIENT: Final = 1
USER_ERROR: Final = click.UsageError.exit_code  # 2


logger = logging.getLogger(__name__)


class RunError(click.ClickException):
    """An error message of a command, which is part of the log if that is JSON."""

    exit_code = TRANSIENT

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message, or log it with the traceback of its cause."""
        if is_json():
            cause = None if isinstance(self, UserError) else self.__cause__
            logger.error("%s", self.message, exc_info=cause)
        else:
            super().show(file)


class UserError(RunError):
    """An error message of a command that fails again until a user changes something."""

    exit_code = USER_ERROR
