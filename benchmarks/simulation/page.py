"""Tables and the figure of docs/scale.md."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.simulation import calibration
from benchmarks.simulation.limits import (
    Limit,
    commit_ratio,
    find_limits,
    workers_for_prefix_limit,
)
from benchmarks.simulation.model import Forecast, Model

SIZES = [10**power for power in range(3, 10)]
PAGE = Path(__file__).parents[2] / "docs/scale.md"
FIGURE = PAGE.with_suffix(".svg")
_BLOCK = re.compile(r"(<!-- simulated -->\n).*(<!-- end -->)", re.DOTALL)


def tables(model: Model) -> str:
    """Return the part of the page that is computed, as Markdown."""
    names = [*model.units["machines"]]
    limits = find_limits(model)
    blocks = [
        f"Unit costs of {model.measurements['measured']}; prices of "
        f"{model.prices.region}, noted {model.prices.noted}.\n",
        "### First load\n",
        *_forecasts(
            names, [[model.first_load(n, name) for name in names] for n in SIZES]
        ),
        "\n### Daily run\n",
        *_forecasts(names, [[model.daily(n, name) for name in names] for n in SIZES]),
        "\n### What breaks first\n",
        *_limits(limits),
        f"\nOne prefix of S3 delivers {model.units['s3']['gets_per_second_and_prefix']:,} "
        f"photos/s: as many as {workers_for_prefix_limit(model)} workers of 2 cores process. "
        "More workers need photos below several prefixes. On 16 workers, a million photos "
        f"take {commit_ratio(model, 10**6):.1f} times as long to commit, batch after batch, as to "
        "compute: set larger batches there.\n",
        "### Validation\n",
        *_validation(model),
    ]
    return "\n".join(blocks) + "\n"


def write(model: Model) -> None:
    """Replace the computed part of docs/scale.md, and draw its figure."""
    text = _BLOCK.sub(lambda m: m[1] + tables(model) + m[2], PAGE.read_text())
    PAGE.write_text(text)
    draw(model).savefig(FIGURE, metadata={"Date": None})


def draw(model: Model) -> Figure:
    """Draw time, cost and memory over the number of photos."""
    figure = Figure((9, 3.2), layout="constrained")
    axes = figure.subplots(1, 3)
    for name, machine in model.units["machines"].items():
        loads = [model.first_load(n, name) for n in SIZES]
        axes[0].plot(SIZES, [load.seconds / 3600 for load in loads], label=name)
        axes[1].plot(SIZES, [load.usd for load in loads])
        if not machine.get("spot"):
            axes[2].plot(SIZES, [load.driver_mib for load in loads])
    titles = ("First load, hours", "First load, USD", "Driver memory, MiB")
    for axis, title in zip(axes, titles, strict=True):
        axis.set(xscale="log", yscale="log", xlabel="photos", title=title)
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize="small")
    return figure


def duration(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.0f} s"


def _forecasts(
    names: Sequence[str], rows: Sequence[Sequence[Forecast]]
) -> Sequence[str]:
    lines = [
        f"| photos | {' | '.join(names)} | driver, MiB | requests |",
        f"|---:|{'---:|' * (len(names) + 2)}",
    ]
    for photos, forecasts in zip(SIZES, rows, strict=True):
        cells = [f"{duration(f.seconds)}, {f.usd:,.2f} USD" for f in forecasts]
        first = forecasts[0]
        requests = first.reads + first.writes
        lines.append(
            f"| {photos:,} | {' | '.join(cells)} | {first.driver_mib:,.0f} | {requests:,} |"
        )
    return lines


def _limits(limits: Sequence[Limit]) -> Sequence[str]:
    lines = ["| from photos | what breaks | what to change |", "|---:|---|---|"]
    for limit in limits:
        digits = -(len(str(limit.photos)) - 2)
        count = f"{round(limit.photos, digits):,}" if limit.photos else "never"
        lines.append(f"| {count} | {limit.name} | {limit.change} |")
    return lines


def _validation(model: Model) -> Sequence[str]:
    lines = ["| figure | photos or files | predicted / measured |", "|---|---:|---:|"]
    found = calibration.errors(model.measurements)
    return [*lines, *(f"| `{n}` | {size:,} | {1 + e:.2f} |" for n, size, e in found)]
