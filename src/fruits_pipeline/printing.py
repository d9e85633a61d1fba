"""Print the results of a run."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import click

from fruits_pipeline.logs import is_json
from fruits_pipeline.redaction import printable

logger = logging.getLogger(__name__)


def show(lines: Iterable[str]) -> None:
    """Print lines about the results of a run, or log them if the log is JSON."""
    for line in lines:
        if is_json():
            logger.info("%s", line.strip())
        else:
            click.echo(printable(line))
