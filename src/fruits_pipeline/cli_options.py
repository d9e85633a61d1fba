"""Options of several commands, and literal locations in `--params`.

Kedro parses values of `--params` as YAML: `photos=2024` is a number, and `photos=a #1` is
`a`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import copy
from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run

from fruits_pipeline.locations import LOCATIONS

COMMON = ("env", "params", "conf_source")
"""Options of all commands of this project."""


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


def take_locations_literally(option: click.Parameter) -> click.Parameter:
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


def common_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of `kedro run` that select the settings to a command."""
    options = {str(p.name): p for p in kedro_run.params if p.name in COMMON}
    options["params"] = take_locations_literally(options["params"])
    own: list[click.Parameter] = getattr(command, "__click_params__", [])
    command.__click_params__ = [*reversed(options.values()), *own]  # type: ignore[attr-defined]
    return command
