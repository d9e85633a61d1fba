"""The chain against the way most people do it: Keras' `predict` in a pandas UDF."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from benchmarks.context import Context
from benchmarks.harness import kedro
from benchmarks.processes import RunFailed
from benchmarks.rounds import Result, alternate, ratio, target, values
from benchmarks.tables import Table, rates, runs_table, stages_table

TITLE = "Against the usual way"
KERAS = "keras"
BIG_WEIGHTS = "mobilenet_v2_1.0_224_no_top.weights.h5"
SMALL_WEIGHTS = (
    "models/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5"
)
NO_WEIGHTS = "no TensorFlow, or no weights below FRUITS_SHARED"
USUAL_BIG, USUAL_SMALL = "usual_way, 1.0, 224 px", "usual_way, 0.35, 128 px"
CHAIN_BIG, CHAIN = "chain, 1.0, 224 px", "chain, 0.35, 128 px"

bars = rates


def run(context: Context) -> Result:
    """Let the usual way and the chain take turns, with both backbones."""
    few = context.sample(context.choices.sample)
    more = context.sample(context.choices.sample_big)
    big, small = weights(BIG_WEIGHTS), weights(SMALL_WEIGHTS)
    contestants = {CHAIN: context.chain(more)}
    notes, failures = {}, {}
    if big:
        said = ("--alpha", "1.0", "--size", "224", "--weights", str(big))
        contestants[USUAL_BIG] = context.contestant("usual_way", few, *said)
        try:
            built = build_backbone(context, big)
            contestants[CHAIN_BIG] = context.chain(more, backbone_folder=built)
        except RunFailed as exc:
            failures[CHAIN_BIG] = str(exc)
    if small:
        said = ("--alpha", "0.35", "--size", "128", "--weights", str(small))
        contestants[USUAL_SMALL] = context.contestant("usual_way", few, *said)
    for name, file in ((USUAL_BIG, big), (CHAIN_BIG, big), (USUAL_SMALL, small)):
        if not file:
            notes[name] = NO_WEIGHTS
    result = alternate(contestants, context.rounds)
    result["notes"] |= notes
    result["failures"] |= failures
    result["targets"] = _targets(result)
    return result


def weights(file: str) -> Path | None:
    """Return a file of Keras' weights; None without it, or without TensorFlow."""
    shared = os.environ.get("FRUITS_SHARED")
    found = Path(shared, KERAS, file) if shared else None
    return found if found and found.exists() and find_spec("tensorflow") else None


def build_backbone(context: Context, h5: Path) -> Path:
    """Build MobileNetV2 of alpha 1.0 for 224 px, and return its folder.

    Raises:
        RunFailed: It cannot be built.
    """
    folder = context.work / "backbone-1.0-224"
    params = {
        "root": context.fresh("backbone-root"),
        "backbone_folder": folder,
        "backbone.input_size": 224,
        "backbone.arguments.alpha": 1.0,
        "backbone.weights": h5,
        "backbone.training.epochs": 0,
    }
    log = context.work / "logs/backbone"
    kedro("--pipelines", "backbone", params=params, log=log)
    return folder


def _targets(result: Result) -> list[dict[str, object]]:
    rate = {
        name: values(result, name, "rate")
        for name in (USUAL_BIG, USUAL_SMALL, CHAIN_BIG, CHAIN)
    }
    return [
        target(
            "chain as shipped / usual way (1.0, 224 px)",
            ratio(rate[CHAIN], rate[USUAL_BIG]),
            least=60,
        ),
        target(
            "chain / usual way, both 1.0, 224 px",
            ratio(rate[CHAIN_BIG], rate[USUAL_BIG]),
            least=8,
        ),
        target(
            "chain / usual way, both 0.35, 128 px",
            ratio(rate[CHAIN], rate[USUAL_SMALL]),
        ),
    ]


def tables(result: Result) -> list[Table]:
    """Return runs and stages."""
    found = [runs_table("Runs", result), stages_table("Stages", result)]
    return [table for table in found if table]
