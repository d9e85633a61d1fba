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

from typing import Final

import click

TRANSIENT: Final = 1
USER_ERROR: Final = click.UsageError.exit_code  # 2


class UserError(click.ClickException):
    """An error message of a command that fails again until a user changes something."""

    exit_code = USER_ERROR
