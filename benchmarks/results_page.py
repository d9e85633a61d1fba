"""The page of results: ratios first, then each section's tables and its machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.rounds import Result, is_met
from benchmarks.sections import Section
from benchmarks.tables import Table, cell, markdown

HEAD = """# Results of the benchmarks

Made by `make bench`. Contestants take turns in each section, so a drift of the machine's
speed hits all alike; figures are medians over the rounds, with the least and the most in
brackets. Ratios travel to other machines, absolute figures do not: compare them only
within a section."""


def page(results: Mapping[str, Result], sections: Mapping[str, Section]) -> str:
    """Return the page in Markdown.

    Args:
        results: Of sections, by name.
        sections: That know how their results are shown, by name.
    """
    shown = {name: results[name] for name in sections if name in results}
    parts = [HEAD, "## Ratios and targets", markdown(_targets(shown, sections))]
    for name, result in shown.items():
        section = sections[name]
        parts += [f"## {section.TITLE}", _where(result)]
        parts += [markdown(table) for table in section.tables(result)]
        parts += [
            f"{who} failed:\n\n```\n{text}\n```"
            for who, text in result.get("failures", {}).items()
        ]
    return "\n\n".join(parts) + "\n"


def _targets(shown: Mapping[str, Result], sections: Mapping[str, Section]) -> Table:
    rows = [
        [entry["name"], entry["found"], _bound(entry), _verdict(entry), name]
        for name, result in shown.items()
        for entry in result.get("targets", [])
    ]
    title = "Medians (least to most of a round)"
    return Table(title, ("", "found", "target", "", "section"), rows)


def _bound(entry: Mapping[str, Any]) -> str | None:
    least, most = entry["least"], entry["most"]
    if least is not None and least == most:
        return f"exactly {cell(least)}"
    if least is not None:
        return f"at least {cell(least)}"
    return None if most is None else f"at most {cell(most)}"


def _verdict(entry: Mapping[str, Any]) -> str:
    if entry["found"] is None:
        return "not measured"
    return {True: "met", False: "**not met**", None: ""}[is_met(entry)]


def _where(result: Result) -> str:
    """Return when and on what a section was measured."""
    machine = result["machine"]
    flags, packages = " ".join(machine["flags"]), result["versions"].items()
    lines = [
        f"{result['date']}, {result['rounds']} round(s). {machine['cores']} cores of "
        f"{machine['cpu']} ({flags}), {machine['memory_gib']} GiB, "
        f"{machine['system']}, load {machine['load']} before the section.",
        ", ".join(f"{name} {number}" for name, number in packages) + ".",
    ]
    if machine["environment"]:
        pairs = (f"`{k}={v}`" for k, v in machine["environment"].items())
        lines.append(f"With {', '.join(pairs)}.")
    return " ".join(lines)
