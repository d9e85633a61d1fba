"""Kill a worker of a Spark cluster while it computes features."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from factories import PROJECT, TABLES
from spark_cluster import SparkDaemon, spark_cluster

from chaos.contents import Difference, compare
from chaos.trial import Result, Run, Trial, make_photos, run_to_end, start

OPTIONS = {
    "spark.speculation": "true",
    "spark.executor.memory": "600m",
    "spark.executorEnv.PYTHONPATH": f"{PROJECT}/src",
}


def run(trial: Trial) -> Iterator[Result]:
    """Kill one of two workers in each attempt, and compare with a local run."""
    attempts, survived = trial.attempts(1, 5), 0
    photos = make_photos(trial.folder / "photos", 0, 240)
    expected = trial.folder / "expected"
    run_to_end(photos, expected)
    total, message = Difference(), ""
    for n in range(attempts):
        root = trial.folder / f"root{n}"
        with spark_cluster(_new_folder(trial.folder / f"cluster{n}")) as (url, workers):
            started = _start(photos, root, url)
            _kill_during_featurize(trial.random.choice(workers), root, started)
            code = started.wait()
        found = compare(expected, root)
        total += found
        survived += code == 0 and not found
        message = message if code == 0 else started.message
    name = "SIGKILL to a Spark worker during featurize, with speculation"
    yield Result(name, attempts, survived, total.lost, total.duplicated, message)


def _new_folder(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _start(photos: Path, root: Path, master: str) -> Run:
    options = " ".join(f"--conf {name}={value}" for name, value in OPTIONS.items())
    environ = {
        "SPARK_MASTER": master,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_SUBMIT_ARGS": f"{options} pyspark-shell",
        "PYSPARK_PYTHON": sys.executable,
        "FRUITS_BUCKET": "unused",
        "AWS_REGION": "eu-west-3",
    }
    return start(photos, root, "--env", "cluster", environ=environ)


def _kill_during_featurize(worker: SparkDaemon, root: Path, started: Run) -> None:
    """Kill a worker and its executor as soon as the first features are written."""
    while not [*(root / TABLES["features"]).glob("batch=*/part-*")]:
        assert started.process.poll() is None, started.output
        time.sleep(0.02)
    worker.kill()
