"""The pipeline compared with a plain loop over the same photos, and repeated runs."""

from pathlib import Path

from benchmarks.context import Context, list_photos, run_with_new_photos
from benchmarks.measurements import PIPELINE, Result, ratio, run_rounds, spread
from benchmarks.runs import STAGES, Run, run_pipeline, run_program
from benchmarks.tables import Table, runs_table, stages_table

RAW, LITERT, WARM = "raw_limit", "litert_alone", f"{PIPELINE} warm"
REPEATED = NOTHING_NEW, SOME_NEW = "nothing new", "1 % new"
WARM_UP_PHOTOS = 200


def run(context: Context) -> Result:
    """Run plain loops, the pipeline cold and warm, and the pipeline on its own tables."""
    photos, root = context.all_photos, context.work / "root"
    programs = {
        RAW: context.program(RAW, photos),
        LITERT: context.program(LITERT, photos),
        PIPELINE: context.pipeline(photos),
        WARM: lambda: _run_warm(context, photos),
        NOTHING_NEW: lambda: run_pipeline(photos, root),
        SOME_NEW: lambda: run_with_new_photos(photos, root),
    }
    result = run_rounds(programs, context.rounds)
    result["bytes"] = result["runs"][PIPELINE][-1]["detail"]["bytes"]
    result["photo_bytes"] = sum(file.stat().st_size for file in list_photos(photos))
    _add_targets(result)
    return result


def _run_warm(context: Context, photos: Path) -> Run:
    """Run the pipeline twice in one process; return the second run."""
    few, root = context.sample(WARM_UP_PHOTOS), context.empty("root-warm")
    places = few, context.empty("root-few"), photos, root
    module, log = "benchmarks.programs.in_process", context.work / "log-warm"
    return run_program(module, "__default__", *places, log=log)


def _add_targets(result: Result) -> None:
    seconds = result.figures(PIPELINE, "stages.featurize")
    photos = result.figures(PIPELINE, "photos")
    featurize = [n / s for n, s in zip(photos, seconds, strict=True)]
    limit = ratio(featurize, result.figures(RAW))
    repeated = result.spread(NOTHING_NEW, "wall")
    new = result.ratio(SOME_NEW, PIPELINE, "stage_seconds")
    size = spread([sum(result["bytes"].values()) / result["photo_bytes"]])
    add = result.add_target
    add("featurize / raw limit", limit, least=0.9)
    add("ingest to reduced / raw limit", result.ratio(PIPELINE, RAW), least=0.7)
    add("ingest to reduced, warm JVM / raw limit", result.ratio(WARM, RAW))
    add("second run, nothing new, seconds with start", repeated, most=15)
    add("1 % new / full run, less start", new, most=0.03)
    add("bytes of all tables / of the photos", size, most=4)


def tables(result: Result) -> list[Table]:
    """Return runs, stages, repeated runs and bytes by table."""
    title = f"Runs; photos/s of the {PIPELINE} over {', '.join(STAGES)}"
    keys = ("wall", "start_seconds", "stage_seconds")
    again = []
    for name in (PIPELINE, *REPEATED):
        share = result.ratio(name, PIPELINE, "stage_seconds")
        again.append([name, *(result.spread(name, key) for key in keys), share])
    again_header = ("", "wall, s", "start, s", "stages, s", "stages / full run")
    total = result["photo_bytes"]
    sizes = [[name, n / 1e6, n / total] for name, n in result["bytes"].items()]
    sizes.append(["photos", total / 1e6, 1.0])
    return [
        runs_table(result, title, exclude=REPEATED),
        stages_table(result),
        Table("Running again", again_header, again),
        Table("Bytes written", ("below the root", "MB", "/ bytes of photos"), sizes),
    ]
