"""The pipeline compared with other tools, and with the usual way on Spark."""

import os
from importlib.util import find_spec
from pathlib import Path

import click

from benchmarks.context import Context
from benchmarks.measurements import PIPELINE, Result, SkippedError, run_rounds
from benchmarks.processes import PROJECT
from benchmarks.runs import kedro_run
from benchmarks.tables import Table, runs_table

PEERS_PHOTOS = 8000
USUAL_WAY_PHOTOS = 1200  # the usual way takes 40 s for these
PYTHON = PROJECT / ".venv-peers/bin/python"
PEERS = ("raw_limit", "tf_data", "ray_data", "daft")
LARGE_WEIGHTS = "mobilenet_v2_1.0_224_no_top.weights.h5"
SMALL_WEIGHTS = (
    "models/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5"
)
LARGE, SMALL = "1.0, 224 px", "0.35, 128 px"
USUAL_LARGE, USUAL_SMALL = f"usual_way, {LARGE}", f"usual_way, {SMALL}"
PIPELINE_LARGE, PIPELINE_SMALL = f"{PIPELINE}, {LARGE}", f"{PIPELINE}, {SMALL}"


def find_weights(file: str) -> Path:
    """Return a file of Keras weights.

    Raises:
        SkippedError: If the file or TensorFlow is missing.
    """
    path = Path(os.environ.get("FRUITS_SHARED", ""), "keras", file)
    if not path.exists() or not find_spec("tensorflow"):
        raise SkippedError("needs TensorFlow, and weights in FRUITS_SHARED/keras")
    return path


def run(context: Context) -> Result:
    """Run the pipeline, and the other tools that are installed."""
    photos = context.sample(PEERS_PHOTOS)
    programs = {
        PIPELINE: context.pipeline(photos),
        "raw_limit": context.program("raw_limit", photos),
    }
    try:
        weights = find_weights(SMALL_WEIGHTS)
        programs["tf_data"] = context.program("tf_data", photos, weights, 0.35, 128)
    except SkippedError as exc:
        click.echo(f"  tf_data skipped: {exc}")
    for name in ("ray_data", "daft"):
        if PYTHON.exists():
            programs[name] = context.program(name, photos, python=PYTHON)
        else:
            click.echo(f"  {name} skipped: needs .venv-peers, see `make bench`")
    result = run_rounds(programs, context.rounds)
    for name in PEERS:
        result.add_target(f"{PIPELINE} / {name}", result.ratio(PIPELINE, name))
    return result


def tables(result: Result) -> list[Table]:
    """Return the runs."""
    return [runs_table(result)]


def run_usual_way(context: Context) -> Result:
    """Run the pipeline and the usual way with two sizes of MobileNetV2."""
    large, small = find_weights(LARGE_WEIGHTS), find_weights(SMALL_WEIGHTS)
    photos, few = context.all_photos, context.sample(USUAL_WAY_PHOTOS)
    backbone = {"backbone_folder": _build_large_backbone(context, few, large)}
    programs = {
        PIPELINE_SMALL: context.pipeline(photos),
        USUAL_LARGE: context.program("usual_way", few, large, 1.0, 224),
        PIPELINE_LARGE: context.pipeline(photos, params=backbone),
        USUAL_SMALL: context.program("usual_way", few, small, 0.35, 128),
    }
    result = run_rounds(programs, context.rounds)
    shipped = result.ratio(PIPELINE_SMALL, USUAL_LARGE)
    same_large = result.ratio(PIPELINE_LARGE, USUAL_LARGE)
    same_small = result.ratio(PIPELINE_SMALL, USUAL_SMALL)
    result.add_target("chain as shipped / usual way (1.0, 224 px)", shipped, least=60)
    result.add_target("chain / usual way, both 1.0, 224 px", same_large, least=8)
    result.add_target("chain / usual way, both 0.35, 128 px", same_small)
    return result


def _build_large_backbone(context: Context, photos: Path, weights: Path) -> Path:
    folder = context.work / "backbone-large"
    params = {
        "photos": photos,
        "root": context.empty("root-backbone"),
        "backbone_folder": folder,
        "backbone.input_size": 224,
        "backbone.arguments.alpha": 1.0,
        "backbone.weights": weights,
        "backbone.training.epochs": 0,
    }
    kedro_run(params, "--pipelines", "ingest,preprocess,backbone")
    return folder
