"""Check the options of `kedro run` that select nodes, and find their pipelines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

import click
from kedro.framework.project import pipelines
from kedro.pipeline import Pipeline

SELECTIONS = {
    "from_nodes": "--from-nodes",
    "to_nodes": "--to-nodes",
    "node_names": "--nodes",
    "from_inputs": "--from-inputs",
    "to_outputs": "--to-outputs",
    "tags": "--tags",
    "namespaces": "--namespaces",
}
"""Options that select nodes, by the names of Kedro's parameters."""

DEFAULT = "__default__"
CONTINUING = ("classify", "backbone")
"""Pipelines that use tables of the default pipeline, which computes them first."""


def check_options(options: Mapping[str, Any]) -> None:
    """Raise if an option of `kedro run` is not supported by this project.

    Raises:
        click.UsageError: The option runs several nodes at a time, or selects versions.
    """
    runner = str(options.get("runner") or "SequentialRunner").rpartition(".")[2]
    if runner != "SequentialRunner":
        raise click.UsageError(
            f"Found --runner {runner}; expected SequentialRunner, the default, because "
            "Spark uses all CPUs for each node. Omit the option."
        )
    is_async = options.get("is_async") or (options.get("runner_params") or {})
    if is_async:
        raise click.UsageError(
            "Found --async or --runner-params; expected neither, because nodes run one "
            "after the other, and Spark uses all CPUs for each node. Omit the option."
        )
    if options.get("load_versions"):
        raise click.UsageError(
            "Found --load-versions; expected no versions, because datasets are not "
            "versioned by Kedro. Choose a `root` with --params root=... instead."
        )


def choose_pipelines(names: Iterable[str], options: Mapping[str, Any]) -> list[str]:
    """Return the pipelines that a selection of nodes needs.

    Args:
        names: Values of `--pipelines`; none for the default pipeline, and those
            of the pipelines that the selected nodes belong to.
        options: Values of all options, by the names of Kedro's parameters.

    Returns:
        The names of the pipelines; none for the default pipeline.

    Raises:
        click.UsageError: A selected name does not exist, or no node is selected.
    """
    selection = {k: v for k in SELECTIONS if (v := _values(options.get(k)))}
    chosen = [*names]
    if selection and not chosen:
        chosen = _find_pipelines(selection)
    if selection or len(chosen) > 1:
        pipelines.set_requested(chosen or None)
        _check_selection(chosen or [DEFAULT], selection)
    return chosen


def _values(value: Any) -> list[str]:
    """Return the values of an option; that of `--namespaces` can be one text."""
    return [value] if isinstance(value, str) and value else [*(value or ())]


def _find_pipelines(selection: Mapping[str, list[str]]) -> list[str]:
    """Return the pipelines in which all selected names exist; none for the default."""
    pipelines.set_requested(None)
    candidates = [[DEFAULT], *([DEFAULT, name] for name in CONTINUING)]
    candidates += [[name] for name in pipelines if name not in (DEFAULT, *CONTINUING)]
    for names in candidates:
        if not any(_unknown(_sum(names), selection).values()):
            return [] if names == [DEFAULT] else names
    unknown = _unknown(_sum([DEFAULT, *CONTINUING]), selection)
    raise click.UsageError(_describe(unknown, _sum_known(selection)))


def _check_selection(names: list[str], selection: Mapping[str, list[str]]) -> None:
    try:
        pipeline = _sum(names)
    except Exception as exc:  # several types, such as of two nodes with one output
        raise click.UsageError(
            f"Found pipelines that cannot run together: {', '.join(names)} "
            f"({str(exc).splitlines()[0]}). Run one after the other."
        ) from exc
    if any((unknown := _unknown(pipeline, selection)).values()):
        known = {k: _names(pipeline, k) for k in selection}
        raise click.UsageError(_describe(unknown, known))
    try:
        pipeline.filter(**_kedro_arguments(selection))
    except ValueError as exc:
        options = " ".join(
            f"{SELECTIONS[k]} {','.join(selection[k])}" for k in selection
        )
        raise click.UsageError(
            f"Found no node that all options select: {options}; expected at least one. "
            "Remove or change an option."
        ) from exc


def _kedro_arguments(selection: Mapping[str, list[str]]) -> dict[str, Any]:
    names = {"namespaces": "node_namespaces"}
    return {names.get(k, k): values for k, values in selection.items()}


def _sum(names: Iterable[str]) -> Pipeline:
    return sum((pipelines[name] for name in names), Pipeline([]))


def _sum_known(selection: Mapping[str, list[str]]) -> dict[str, set[str]]:
    """Return the names in any pipeline that each option accepts."""
    return {
        k: set[str]().union(*(_names(p, k) for p in pipelines.values()))
        for k in selection
    }


def _unknown(
    pipeline: Pipeline, selection: Mapping[str, list[str]]
) -> dict[str, list[str]]:
    return {
        k: [value for value in values if value not in _names(pipeline, k)]
        for k, values in selection.items()
    }


def _names(pipeline: Pipeline, option: str) -> set[str]:
    """Return the names that an option accepts."""
    match option:
        case "tags":
            return {tag for node in pipeline.nodes for tag in node.tags}
        case "namespaces":
            return {node.namespace for node in pipeline.nodes if node.namespace}
        case "from_inputs":
            datasets = {name for node in pipeline.nodes for name in node.inputs}
        case "to_outputs":
            datasets = pipeline.all_outputs()
        case _:
            return {node.name for node in pipeline.nodes}
    return datasets | {name.partition("@")[0] for name in datasets}


def _describe(unknown: Mapping[str, list[str]], known: Mapping[str, set[str]]) -> str:
    """Return the message for names that do not exist, with the most similar names."""
    option = next(k for k, values in unknown.items() if values)
    value = unknown[option][0]
    similar = get_close_matches(value, known[option], n=1)
    if value in known[option]:
        hint = "expected names of one pipeline. Name it with --pipelines"
    elif similar:
        hint = f"did you mean {similar[0]}?"
    else:
        hint = f"expected some of {', '.join(sorted(known[option])) or 'none'}"
    return f"Found {SELECTIONS[option]} {value}; {hint}"
