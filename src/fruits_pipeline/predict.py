"""Classify photos with a phone model: `kedro predict`, `python -m fruits_pipeline.predict`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any

import click

from fruits_pipeline.answers import PhotoAnswer, write_csv, write_json, write_text
from fruits_pipeline.redaction import printable
from fruits_pipeline.session_options import Options

with redirect_stdout(sys.stderr):  # Kedro can log its logging configuration
    from fruits_pipeline.cli_options import common_options

DECODE_MEMORY_MIB = 256  # the default of the pipeline
FORMATS = {"text": write_text, "json": write_json, "csv": write_csv}


@click.command()
@click.argument("photos", nargs=-1, required=True)
@click.option("--model", help="Path or URL of a phone model.")
@click.option(
    "--decode-memory-mib",
    default=DECODE_MEMORY_MIB,
    show_default=True,
    type=click.IntRange(min=1),
    help="Photos that need more memory are rejected.",
)
@click.option("--json", "output", flag_value="json", help="Print a JSON array.")
@click.option("--csv", "output", flag_value="csv", help="Print CSV.")
@common_options
def main(
    photos: tuple[str, ...],
    model: str | None,
    decode_memory_mib: int,
    output: str | None,
    **options: Any,
) -> None:
    """Classify PHOTOS: print the answer and the most probable labels of each.

    PHOTOS are files, or folders that are searched for photos. Without --model, the phone
    model of the root is used, which `kedro run --pipelines classify` has written; if
    there is none in the default root, the one that the project ships.

    The model and errors are printed to stderr. The exit code is 0 if all photos were
    classified, else 1.
    """
    # Imported here because it is slow to import, and not needed for other commands.
    from fruits_pipeline.hooks.errors import raise_for_user
    from fruits_pipeline.phone_model_choice import choose_model

    try:
        phone_model, description = choose_model(model, Options(**options))
    except Exception as exc:
        raise_for_user(exc)
    click.echo(f"Model: {printable(description)}", err=True)
    failed: list[str] = []
    answers = _classify_all(phone_model, photos, decode_memory_mib, failed)
    FORMATS[output or "text"](answers)
    sys.exit(1 if failed else 0)


def _classify_all(
    model: Any, names: tuple[str, ...], max_mib: int, failed: list[str]
) -> Iterator[PhotoAnswer]:
    """Yield the answers; print errors, and append their photos to `failed`."""
    from fruits_pipeline.answers import classify_file
    from fruits_pipeline.io.photo_files import find_photos

    for path, problem in find_photos(names):
        answer = classify_file(model, path, max_mib, problem)
        if answer.error:
            click.echo(f"{answer.shown_path}: {answer.error}", err=True)
            failed.append(path)
        yield answer


if __name__ == "__main__":
    from kedro.framework.project import configure_project

    configure_project("fruits_pipeline")
    main()
