"""Take workers and executors away from a run on a Spark cluster while it computes."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil
from factories import PROJECT, TABLES
from spark_cluster import SparkDaemon, spark_cluster

from chaos.contents import Difference, compare
from chaos.trial import Result, Run, Trial, make_photos, run_to_end, start

OPTIONS = {
    "spark.executor.memory": "600m",
    "spark.executorEnv.PYTHONPATH": f"{PROJECT}/src",
}
SPECULATION = {"spark.speculation": "true"}
DECOMMISSION = {
    "spark.decommission.enabled": "true",
    "spark.storage.decommission.enabled": "true",
    "spark.storage.decommission.shuffleBlocks.enabled": "true",
}
WORKER_OPTIONS = {"SPARK_WORKER_OPTS": "-Dspark.decommission.enabled=true"}
DYNAMIC = {
    "spark.dynamicAllocation.enabled": "true",
    "spark.dynamicAllocation.shuffleTracking.enabled": "true",
    "spark.dynamicAllocation.minExecutors": "0",
    "spark.dynamicAllocation.initialExecutors": "1",
    "spark.dynamicAllocation.executorIdleTimeout": "2s",
    "spark.dynamicAllocation.cachedExecutorIdleTimeout": "2s",
}
EXECUTOR = "CoarseGrainedExecutorBackend"


def kill_executor(worker: SparkDaemon) -> None:
    """Kill the executor of a worker. The worker starts another one."""
    for process in executors(worker):
        process.kill()


def decommission(worker: SparkDaemon) -> None:
    """Announce the end of a worker, as for a Spot interruption, and kill it later."""
    worker.process.send_signal(signal.SIGPWR)
    worker.wait_for("(?i)decommission")
    time.sleep(2)
    worker.kill()


FAULTS: Mapping[str, tuple[Mapping[str, str], Callable[[SparkDaemon], None]]] = {
    "SIGKILL to a Spark worker during featurize, with speculation": (
        SPECULATION,
        SparkDaemon.kill,
    ),
    "SIGKILL to a Spark executor during featurize": ({}, kill_executor),
    "decommission of a Spark worker, and its end 2 s later": (
        DECOMMISSION,
        decommission,
    ),
    "SIGKILL to a Spark executor with dynamic allocation": (DYNAMIC, kill_executor),
}
"""Settings of Spark, and what happens to one of the two workers."""


def run(trial: Trial) -> Iterator[Result]:
    """Inject each fault in every attempt, and compare with a local run."""
    attempts = trial.attempts(1, 5)
    photos = make_photos(trial.folder / "photos", 0, 240)
    expected = trial.folder / "expected"
    run_to_end(photos, expected)
    for number, (name, (options, inject)) in enumerate(FAULTS.items()):
        survived, total, message = 0, Difference(), ""
        for n in range(attempts):
            root = trial.folder / f"root{number}-{n}"
            cluster = spark_cluster(
                _new_folder(root), environ=os.environ | WORKER_OPTIONS
            )
            with cluster as (url, workers):
                started = _start(photos, root / "data", url, options)
                _wait_for_features(root / "data", started)
                inject(_choose(trial, workers))
                code = started.wait()
            found = compare(expected, root / "data")
            total += found
            survived += code == 0 and not found
            message = message if code == 0 else started.message
        yield Result(name, attempts, survived, total.lost, total.duplicated, message)


def executors(worker: SparkDaemon) -> list[psutil.Process]:
    """Return the executors of a worker."""
    children = psutil.Process(worker.process.pid).children(recursive=True)
    return [process for process in children if _is_executor(process)]


def _is_executor(process: psutil.Process) -> bool:
    try:
        return any(argument.endswith(EXECUTOR) for argument in process.cmdline())
    except psutil.NoSuchProcess:
        return False


def _choose(trial: Trial, workers: list[SparkDaemon]) -> SparkDaemon:
    """Return a random worker of those that have an executor; wait until there is one."""
    while not (busy := [worker for worker in workers if executors(worker)]):
        time.sleep(0.02)
    return trial.random.choice(busy)


def _new_folder(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _start(photos: Path, root: Path, master: str, options: Mapping[str, str]) -> Run:
    pairs = (OPTIONS | options).items()
    environ = {
        "SPARK_MASTER": master,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_SUBMIT_ARGS": " ".join(
            [*(f"--conf {name}={value}" for name, value in pairs), "pyspark-shell"]
        ),
        "PYSPARK_PYTHON": sys.executable,
        "FRUITS_BUCKET": "unused",
        "AWS_REGION": "eu-west-3",
    }
    return start(photos, root, "--env", "cluster", environ=environ)


def _wait_for_features(root: Path, started: Run) -> None:
    """Wait until the first features are written."""
    while not [*(root / TABLES["features"]).glob("batch=*/part-*")]:
        assert started.process.poll() is None, started.output
        time.sleep(0.02)
