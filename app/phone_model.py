"""Write the phone model that the app is built with.

    python app/phone_model.py <file> [--model <file>] [--params root=...]

It is the one that `make predict` uses: that of the root, or the one that the project ships.
"""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click

from fruits_pipeline.hooks.errors import raise_for_user
from fruits_pipeline.models.phone_models import with_fixed_shapes
from fruits_pipeline.phone_model_choice import choose_model
from fruits_pipeline.redaction import printable
from fruits_pipeline.session_options import Options

with redirect_stdout(sys.stderr):  # Kedro can log its logging configuration
    from fruits_pipeline.cli_options import common_options


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--model", help="Path or URL of a phone model.")
@common_options
def main(file: Path, model: str | None, **options: Any) -> None:
    """Write the phone model of the root, or the shipped one, to FILE."""
    try:
        phone_model, description = choose_model(model, Options(**options))
    except Exception as exc:
        raise_for_user(exc)
    click.echo(f"Model: {printable(description)}", err=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(with_fixed_shapes(phone_model).content)


if __name__ == "__main__":
    from kedro.framework.project import configure_project

    configure_project("fruits_pipeline")
    main()
