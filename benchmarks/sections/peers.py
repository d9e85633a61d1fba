"""The chain against other tools for the same work, on the same photos."""

from __future__ import annotations

from benchmarks.context import Context
from benchmarks.rounds import Result, alternate, ratio, target, values
from benchmarks.sections.usual import NO_WEIGHTS, SMALL_WEIGHTS, weights
from benchmarks.tables import Table, rates, runs_table

TITLE = "Against other tools"
KERAS_ALONE = "tf_data"  # runs Keras' model, not the backbone
PEERS = ("raw_limit", KERAS_ALONE, "ray_data", "daft")

bars = rates


def run(context: Context) -> Result:
    """Let the chain and other tools take turns."""
    photos = context.sample(context.choices.peers)
    contestants = {"chain": context.chain(photos)}
    notes = {}
    for name in PEERS:
        said: tuple[str, ...] = ()
        if name == KERAS_ALONE:
            if not (file := weights(SMALL_WEIGHTS)):
                notes[name] = NO_WEIGHTS
                continue
            said = ("--weights", str(file))
        contestants[name] = context.contestant(name, photos, *said)
    result = alternate(contestants, context.rounds)
    result["notes"] |= notes
    chain = values(result, "chain", "rate")
    result["targets"] = [
        target(f"chain / {name}", ratio(chain, values(result, name, "rate")))
        for name in PEERS
    ]
    return result


def tables(result: Result) -> list[Table]:
    """Return the runs."""
    return [runs_table("Runs", result)]
