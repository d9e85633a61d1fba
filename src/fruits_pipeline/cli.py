"""Commands of this project: `kedro run` with checks of its options, and others."""

from __future__ import annotations

from copy import copy
from typing import Any, TextIO

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.cli.utils import CONTEXT_SETTINGS

from fruits_pipeline import viz
from fruits_pipeline.cli_options import common_options, take_locations_literally
from fruits_pipeline.pipeline_registry import pipeline_names
from fruits_pipeline.predict import main as predict
from fruits_pipeline.run_options import check_options, choose_pipelines
from fruits_pipeline.session_options import Options

viz.hide_warning()
viz.check_options()


def _known(option: click.Parameter) -> click.Parameter:
    """Return a copy of the option `--pipelines` or `--pipeline` that checks the names.

    Kedro would fail to import a pipeline that does not exist.
    """

    def check(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        known = pipeline_names()
        names = filter(None, (name.strip() for name in (value or "").split(",")))
        if unknown := [name for name in names if name not in known]:
            raise click.BadParameter(
                f"found {', '.join(unknown)}; expected some of {', '.join(known)}"
            )
        return parse(context, parameter, value) if parse else value

    parse: Any = option.callback
    checked = copy(option)
    checked.callback = check
    return checked


_OPTIONS = {"params": take_locations_literally, "pipeline": _known, "pipelines": _known}


@click.group(context_settings=CONTEXT_SETTINGS, name=__file__)
def cli() -> None:
    """Commands of this project."""


def _run(**options: Any) -> Any:
    """Check all options, and run the pipelines that contain the selected nodes."""
    check_options(options)
    params = options["params"] or {}
    Options(options["env"], options["conf_source"], params).check_parameters()
    names = filter(None, [*(options["pipelines"] or ()), options["pipeline"]])
    chosen = choose_pipelines(names, options)
    return kedro_callback(**options | {"pipelines": chosen, "pipeline": None})


kedro_callback: Any = kedro_run.callback
run = copy(kedro_run)
run.callback = _run
run.params = [_OPTIONS.get(str(p.name), copy)(p) for p in kedro_run.params]
cli.add_command(run)


@click.command()
@click.argument("photos", nargs=-1, metavar="[PATH_OR_ID]...")
@click.option(
    "--from-file",
    type=click.File(encoding="utf-8"),
    help="File with one path or photo_id per line; - for the standard input.",
)
@common_options
def forget(photos: tuple[str, ...], from_file: TextIO | None, **options: Any) -> None:
    """Erase photos from all tables, models and reports below the root.

    PATH_OR_ID is a path relative to the photo root, or a photo_id. Without any photos,
    the photos that were erased before are searched and erased again.
    """
    # Imported here because it is slow to import, and not needed for other commands.
    from fruits_pipeline.forget import forget as erase

    lines = (line.rstrip("\r\n") for line in from_file or ())
    names = dict.fromkeys([*photos, *filter(None, lines)])
    erase([*names], Options(**options))


cli.add_command(forget)
cli.add_command(predict, "predict")


@cli.command()
@click.argument("photos", nargs=-1, required=True)
@click.option(
    "--count",
    type=click.IntRange(1, 50),
    default=10,
    show_default=True,
    help="Number of similar photos.",
)
@click.option(
    "--sheet",
    default="similar.png",
    show_default=True,
    type=click.Path(dir_okay=False, writable=True),
    help="Picture of the photos to write.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--decode-memory-mib",
    type=click.IntRange(min=1),
    help="Photos that need more memory are not read; by default, as in the collection.",
)
@common_options
def similar(
    photos: tuple[str, ...],
    count: int,
    sheet: str,
    as_json: bool,
    decode_memory_mib: int | None,
    **options: Any,
) -> None:
    """Find the photos of the collection that are most similar to PHOTOS.

    PHOTOS are files, or folders that are searched for photos. Errors go to stderr. The
    exit code is 0 if all photos could be compared, else 1.
    """
    # Imported here because it is slow to import, and not needed for other commands.
    from fruits_pipeline.similar import Search, find_similar

    search = Search(count, decode_memory_mib, sheet, as_json)
    if not find_similar(photos, Options(**options), search):
        raise click.exceptions.Exit(1)
