"""The chain against a plain loop over the same photos; what running it again takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.context import Context, Photos
from benchmarks.harness import CARRIED, Run, run_chain, run_program
from benchmarks.repeats import write_changed
from benchmarks.rounds import (
    Result,
    add,
    alternate,
    ratio,
    spread,
    stage_seconds,
    target,
    values,
)
from benchmarks.tables import Table, rates, runs_table, stages_table

TITLE = "Against the raw limit of the machine"
CHAIN, RAW, WARM = "chain", "raw_limit", "chain warm"
NOTHING_NEW, SOME_NEW = "nothing new", "1 % new"
AGAIN = (NOTHING_NEW, SOME_NEW)
NEW_SHARE = 0.01
SMALL = 200  # photos of the run that warms up


def bars(result: Result) -> dict[str, float]:
    """Return the rates of all that had every photo to work on."""
    found = rates(result)
    return {name: found[name] for name in found if name not in AGAIN}


def run(context: Context) -> Result:
    """Time raw loops and the chain in turns, then runs that find little to do."""
    photos = context.photos()
    result = alternate(
        {
            RAW: context.contestant(RAW, photos),
            "litert_alone": context.contestant("litert_alone", photos),
            CHAIN: context.chain(photos),
            WARM: lambda _: _warm(context, photos),
        },
        context.rounds,
    )
    result["photos"] = len(photos)
    if CHAIN in result["runs"]:
        root = context.work / "root"
        result["bytes"] = _bytes_below(root)
        result["photo_bytes"] = photos.total_bytes
        add(result, _again(context, photos, root))
    result["targets"] = _targets(result)
    return result


def _again(context: Context, photos: Photos, root: Path) -> Result:
    """Run on what is there already, and on a few more photos each round."""
    added: list[Path] = []

    def some_new(i: int) -> Run:
        added.extend(add_photos(photos, NEW_SHARE, seed=i + 1))
        return run_chain(photos.folder, root)

    contestants = {
        # In this order each finds what it is named for: the round before is complete.
        NOTHING_NEW: lambda _: run_chain(photos.folder, root),
        SOME_NEW: some_new,
    }
    try:
        return alternate(contestants, context.rounds)
    finally:
        for path in added:
            path.unlink()


def add_photos(photos: Photos, share: float, seed: int) -> list[Path]:
    """Add changed photos under new names to the folder, and return their paths.

    Args:
        photos: The folder grows; the list of it stays as it was.
        share: Of the photos.
        seed: Another number makes other photos.
    """
    count = max(1, round(len(photos) * share))
    chosen = [photos.paths[i * len(photos) // count] for i in range(count)]
    # Still below the folders that say label and split.
    added = [old.with_name(f"new{seed}_{old.stem}.jpg") for old in chosen]
    for old, new in zip(chosen, added, strict=True):
        write_changed(old, new, seed)
    return added


def _warm(context: Context, photos: Photos) -> Run:
    """Run the chain twice in one process, and return the second run."""
    few = context.sample(SMALL)
    done = run_program(
        "benchmarks.sections.warm_chain",
        *(str(few.folder), str(context.fresh("small-root"))),
        *(str(photos.folder), str(context.fresh("warm-root"))),
        log=context.work / "logs/warm",
    )
    return replace(done, stages=done.detail["seconds"], detail={})


def _bytes_below(root: Path) -> dict[str, int]:
    """Return the bytes of each table, by its place below the root."""
    found: dict[str, int] = {}
    for file in root.rglob("*"):
        parts = file.relative_to(root).parts
        if file.is_file() and parts[0] != "log":
            name = "/".join(parts[:2])
            found[name] = found.get(name, 0) + file.stat().st_size
    return dict(sorted(found.items()))


def _targets(result: Result) -> list[dict[str, object]]:
    raw, chain = values(result, RAW, "rate"), values(result, CHAIN, "rate")
    featurize = [
        run["photos"] / max(run["stages"].get("featurize", 0.0), 0.01)
        for run in result["runs"].get(CHAIN, [])
    ]
    total = sum(result.get("bytes", {}).values())
    held = [total / result["photo_bytes"]] if total else []
    full, new = stage_seconds(result, CHAIN), stage_seconds(result, SOME_NEW)
    warm = values(result, WARM, "rate")
    return [
        target("featurize / raw limit", ratio(featurize, raw), least=0.9),
        target("ingest to reduced / raw limit", ratio(chain, raw), least=0.7),
        target("ingest to reduced, warm JVM / raw limit", ratio(warm, raw)),
        target(
            "second run, nothing new, seconds with start",
            spread(values(result, NOTHING_NEW, "wall")),
            most=15,
        ),
        target("1 % new / full run, less start", ratio(new, full), most=0.03),
        target("bytes of all tables / of the photos", spread(held), most=4),
    ]


def tables(result: Result) -> list[Table]:
    """Return runs, stages, and bytes by table."""
    carried = ", ".join(CARRIED)
    found = [
        runs_table(f"Runs; photos/s of the chain over {carried}", result, AGAIN),
        stages_table("Stages", result),
    ]
    if AGAIN[0] in result["runs"]:
        found.append(_again_table(result))
    if "bytes" in result:
        rows = [
            [name, size / 1e6, size / result["photo_bytes"]]
            for name, size in result["bytes"].items()
        ]
        rows.append(["photos", result["photo_bytes"] / 1e6, 1.0])
        header = ("below the root", "MB", "/ bytes of photos")
        found.append(Table("Bytes written", header, rows))
    return [table for table in found if table]


def _again_table(result: Result) -> Table:
    full = stage_seconds(result, CHAIN)
    rows = [
        [
            name,
            spread(values(result, name, "wall")),
            spread(values(result, name, "start_seconds")),
            spread(stage_seconds(result, name)),
            ratio(stage_seconds(result, name), full),
        ]
        for name in (CHAIN, *AGAIN)
        if name in result["runs"]
    ]
    header = ("", "wall, s", "start, s", "stages, s", "stages / full run")
    return Table("Running again", header, rows)
