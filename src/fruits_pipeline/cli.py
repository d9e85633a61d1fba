"""Kedro's command `run`, with a check of the names of pipelines, and literal locations.

Kedro parses values of `--params` as YAML: `photos=2024` is a number, and `photos=a #1` is
`a`.
"""

from __future__ import annotations

import re
from copy import copy
from pkgutil import iter_modules
from typing import Any, TextIO

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.cli.utils import CONTEXT_SETTINGS

from fruits_pipeline import pipelines
from fruits_pipeline.locations import LOCATIONS
from fruits_pipeline.run_options import check_options, choose_pipelines


def split_locations(text: str) -> tuple[dict[str, str], str]:
    """Separate the locations from the other parameters of `--params`.

    Args:
        text: Items `name=value`, separated by commas. A location with a comma is quoted.

    Returns:
        The locations by name, without quotes around them, and the other items.

    Raises:
        click.UsageError: A location contains a comma and is not quoted.
    """
    locations: dict[str, str] = {}
    others: list[str] = []
    current = ""  # the location that the last item sets
    for item in text.split(","):
        name, equals, value = item.partition("=")
        if current and _is_open(locations[current]):
            locations[current] += f",{item}"
        elif equals and name.strip() in LOCATIONS:
            current = name.strip()
            locations[current] = value.strip()
        elif current and item.strip() and not equals:
            raise click.UsageError(
                f"Found {current}={locations[current]},{item}; expected name=value after "
                f"the comma. Put a location with commas in quotes: {current}='a,b'"
            )
        else:
            current = ""
            others.append(item)
    return {name: _unquote(value) for name, value in locations.items()}, ",".join(
        others
    )


def _is_open(text: str) -> bool:
    """Return whether text begins with a quote that is not closed."""
    return bool(re.fullmatch(r"(['\"])(?!.*\1\s*$).*", text, re.DOTALL))


def _unquote(text: str) -> str:
    quoted = re.fullmatch(r"(['\"])(.*)\1\s*", text, re.DOTALL)
    return quoted[2] if quoted else text.strip()


def _escape(text: str) -> str:
    """Escape `${` and `???`, which OmegaConf interprets."""
    return "./???" if text == "???" else re.sub(r"(\\*)\$\{", r"\1\1\\${", text)


def _literal(option: click.Parameter) -> click.Parameter:
    """Return a copy of the option `--params` that takes locations literally."""

    def parse(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        if not isinstance(value, str):  # a mapping, from the file of --config
            return value
        locations, others = split_locations(value)
        escaped = {name: _escape(text) for name, text in locations.items()}
        return kedro_parse(context, parameter, others) | escaped

    kedro_parse: Any = option.callback
    literal = copy(option)
    literal.callback = parse
    return literal


def _known(option: click.Parameter) -> click.Parameter:
    """Return a copy of the option `--pipelines` or `--pipeline` that checks the names.

    Kedro would fail to import a pipeline that does not exist.
    """

    def check(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        known = {"__default__", *(m.name for m in iter_modules(pipelines.__path__))}
        names = filter(None, (name.strip() for name in (value or "").split(",")))
        if unknown := [name for name in names if name not in known]:
            raise click.BadParameter(
                f"found {', '.join(unknown)}; expected some of {', '.join(sorted(known))}"
            )
        return parse(context, parameter, value) if parse else value

    parse: Any = option.callback
    checked = copy(option)
    checked.callback = check
    return checked


_OPTIONS = {"params": _literal, "pipeline": _known, "pipelines": _known}


@click.group(context_settings=CONTEXT_SETTINGS, name=__file__)
def cli() -> None:
    """Commands of this project."""


def _run(**options: Any) -> Any:
    """Check the selection of nodes, and run the pipelines that contain them."""
    check_options(options)
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
def forget(photos: tuple[str, ...], from_file: TextIO | None, **options: Any) -> None:
    """Erase photos from all tables, models and reports below the root.

    PATH_OR_ID is a path relative to the photo root, or a photo_id. Without any photos,
    the photos that were erased before are searched and erased again.
    """
    # Imported here because it is slow to import, and not needed for other commands.
    from fruits_pipeline.forget import forget as erase
    from fruits_pipeline.forget_root import Options

    lines = (line.rstrip("\r\n") for line in from_file or ())
    names = dict.fromkeys([*photos, *filter(None, lines)])
    erase([*names], Options(**options))


forget.params += [p for p in run.params if p.name in {"env", "params", "conf_source"}]
cli.add_command(forget)
