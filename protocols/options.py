"""Options that the commands have in common."""

from pathlib import Path

import click

from benchmarks.processes import PROJECT

FOLDER = click.Path(file_okay=False, resolve_path=True, path_type=Path)

shared_option = click.option(
    "--shared",
    type=FOLDER,
    envvar="FRUITS_SHARED",
    required=True,
    help="Folder with fruits-360, grocery and keras; default: $FRUITS_SHARED.",
)
work_option = click.option(
    "--work",
    type=FOLDER,
    default=PROJECT / "data/protocols",
    help="Folder for tables and backbones.",
)
