"""Page and figure of the results."""

from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.measurements import PIPELINE, Result
from benchmarks.sections import SECTIONS, gigabyte, scaling, speed
from benchmarks.tables import Table, format_cell

HEAD = """# Results of the benchmarks

Made by `make bench`. The programs of a section run in turn, so that a drift of the
machine's speed affects all alike. Figures are medians over the rounds, with minimum and
maximum in brackets. Ratios carry over to other machines, absolute figures do not: compare
absolute figures only within a section. `chain` is the pipeline."""

EXCLUDED = {*speed.REPEATED, gigabyte.PIPELINE_BEFORE}
BLUE, GREY = "#2b6cb0", "#a0aab4"


def render_page(results: Mapping[str, Result]) -> str:
    """Return the page in Markdown: targets first, then the tables of each section.

    Args:
        results: Results by section.
    """
    shown = {name: results[name] for name in SECTIONS if name in results}
    rows = [
        [target["name"], target["found"], *_judge(target), section]
        for section, result in shown.items()
        for target in result["targets"]
    ]
    title = "Medians (minimum to maximum of a round)"
    targets = Table(title, ("", "found", "target", "", "section"), rows)
    parts = [HEAD, "## Ratios and targets", targets.markdown()]
    for name, result in shown.items():
        parts += [f"## {SECTIONS[name].title}", _conditions(result)]
        tables = SECTIONS[name].tables(result)
        parts += [table.markdown() for table in tables if table.rows]
    return "\n\n".join(parts) + "\n"


def _judge(target: Mapping[str, Any]) -> tuple[str | None, str]:
    """Return the bound of a target, and whether it is met."""
    found, least, most = target["found"], target["least"], target["most"]
    bound = None
    if least is not None:
        bound = f"{'exactly' if least == most else 'at least'} {format_cell(least)}"
    elif most is not None:
        bound = f"at most {format_cell(most)}"
    if found is None:
        return bound, "not measured"
    if bound is None:
        return bound, ""
    too_low = least is not None and found["median"] < least
    too_high = most is not None and found["median"] > most
    return bound, "**not met**" if too_low or too_high else "met"


def _conditions(result: Result) -> str:
    """Return when, on what and with which versions a section was measured."""
    host, versions = result["machine"], result["versions"].items()
    text = (
        f"{result['date']}, {result['rounds']} round(s). {host['cores']} cores of "
        f"{host['cpu']} ({' '.join(host['flags'])}), {host['memory_gib']} GiB, "
        f"{host['system']}, load {host['load']} before the section. "
        f"{', '.join(f'{name} {version}' for name, version in versions)}."
    )
    variables = [f"`{name}={value}`" for name, value in host["environment"].items()]
    return f"{text} With {', '.join(variables)}." if variables else text


def draw_figure(results: Mapping[str, Result], file: Path) -> None:
    """Write photos per second of all programs, and scaling, as SVG.

    Args:
        results: Results by section.
        file: File to write.
    """
    sections = ("speed", "usual", "peers", "gigabyte", "scaling")
    shown = [name for name in sections if name in results]
    if not shown:
        return
    heights = [1 + 0.25 * len(results[name]["runs"]) for name in shown]
    with mpl.rc_context({"font.size": 9, "svg.hashsalt": "fruits"}):
        figure = Figure((7.5, sum(heights)), layout="constrained")
        panels = figure.subplots(len(shown), height_ratios=heights, squeeze=False)
        for name, axes in zip(shown, panels[:, 0], strict=True):
            axes.set_title(SECTIONS[name].title, weight="bold", loc="left")
            draw_panel = _draw_scaling if name == "scaling" else _draw_rates
            draw_panel(axes, results[name])
        figure.savefig(file, format="svg", metadata={"Date": None})


def _draw_rates(axes: Axes, result: Result) -> None:
    names = [name for name in result["runs"] if name not in EXCLUDED]
    rates = pd.Series({name: median(result.figures(name)) for name in names})
    rates = rates.sort_values()
    colours = [BLUE if name.startswith(PIPELINE) else GREY for name in rates.index]
    bars = axes.barh(rates.index, rates, color=colours)
    axes.bar_label(bars, fmt="{:,.0f}", padding=3)
    axes.set(xlabel="photos per second, without start-up", xscale="log", xlim=(10, 1e4))


def _draw_scaling(axes: Axes, result: Result) -> None:
    def medians(key: str) -> list[float]:
        return [median(result.figures(name, key)) for name in scaling.MULTIPLES]

    photos, seconds = medians("photos"), medians("stage_seconds")
    memory, first_rate = "peak memory, MiB", photos[0] / seconds[0]
    columns = {
        "seconds of all stages": seconds,
        "in proportion": [count / first_rate for count in photos],
        memory: medians("memory_mib.all"),
    }
    frame = pd.DataFrame(columns, index=photos)
    frame.plot(ax=axes, secondary_y=memory, style=["o-", "--", "s-"], xlabel="photos")
    axes.get_legend().set_loc("lower right")
    axes.set(xlim=0, ylim=0)
    axes.right_ax.set_ylim(0)
