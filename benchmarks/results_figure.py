"""The figure of results: photos a second of all contestants, and how a run scales."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.rounds import Result
from benchmarks.sections import Section, scaling

BLUE, ORANGE, GREY = "#2b6cb0", "#dd7724", "#a0aab4"
BAR, GAP = 0.26, 1.6  # inches of a bar, and of what stands around them
LINES = 3.0  # inches
WHOLE = 10  # photos a second from here on are shown without decimals


def draw(
    results: Mapping[str, Result], sections: Mapping[str, Section], file: Path
) -> None:
    """Write the figure as SVG.

    Args:
        results: Of sections, by name.
        sections: That know what their results are, by name.
        file: To write.
    """
    bars = {
        name: found
        for name, section in sections.items()
        if name in results and (found := section.bars(results[name]))
    }
    points = scaling.lines(results["scaling"]) if "scaling" in results else []
    count = sum(len(found) + 1 for found in bars.values())
    heights = [BAR * count + GAP] * bool(bars) + [LINES] * bool(points)
    if not heights:
        return
    with mpl.rc_context({"font.size": 9, "svg.hashsalt": "fruits"}):
        figure = Figure((7.5, sum(heights)), layout="constrained")
        axes = figure.subplots(len(heights), height_ratios=heights, squeeze=False)[:, 0]
        if bars:
            _bars(axes[0], bars, sections)
        if points:
            _lines(axes[-1], points)
        figure.savefig(file, format="svg", metadata={"Date": None})


def _bars(
    axes: Axes, bars: Mapping[str, Mapping[str, float]], sections: Mapping[str, Section]
) -> None:
    """Draw a bar each contestant, from above, fastest first within its section."""
    names: list[str] = []
    places: list[int] = []
    place = 0
    for section, found in bars.items():
        axes.text(0, place, sections[section].TITLE, weight="bold", va="center",
                  transform=axes.get_yaxis_transform())  # fmt: skip
        for name, rate in sorted(found.items(), key=lambda pair: -pair[1]):
            place += 1
            colour = BLUE if name.startswith("chain") else GREY
            axes.barh(place, rate, 0.75, color=colour)
            said = f"{rate:,.0f}" if rate >= WHOLE else f"{rate:,.1f}"
            axes.text(rate * 1.06, place, said, va="center")
            names.append(name)
            places.append(place)
        place += 1
    rates = [rate for found in bars.values() for rate in found.values()]
    axes.set_xscale("log")
    axes.set_xlim(min(rates) / 2, max(rates) * 3)
    axes.set_ylim(place - 0.4, -0.8)
    axes.set_yticks(places, names)
    axes.set_xlabel("photos a second, without start-up (logarithmic)")
    _clean(axes)


def _lines(axes: Axes, points: list[tuple[int, float, float]]) -> None:
    """Draw time on the left, with proportional growth dashed, and memory on the right."""
    photos, seconds, peaks = zip(*points, strict=True)
    axes.plot(photos, seconds, "o-", color=BLUE)
    axes.plot(photos, [seconds[0] * n / photos[0] for n in photos], "--", color=GREY)
    axes.set_xlabel("photos")
    axes.set_ylabel("seconds of all stages", color=BLUE)
    axes.set_xlim(0)
    axes.set_ylim(0)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_title("Scaling (dashed: in proportion)", weight="bold", loc="left")
    _clean(axes)
    memory = axes.twinx()
    memory.plot(photos, peaks, "s-", color=ORANGE)
    memory.set_ylabel("peak memory, MiB", color=ORANGE)
    memory.set_ylim(0, max(peaks) * 1.3)
    memory.spines["top"].set_visible(False)


def _clean(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
