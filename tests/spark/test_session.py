import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from factories import PROJECT, jpeg, run_python, write_files
from pyspark.sql import SparkSession

from fruits_pipeline.spark.resources import MAX_HEAP_MIB, MIN_HEAP_MIB, cpu_count
from fruits_pipeline.spark.session import executor_environ, start_spark

RUN_AND_INSPECT = """
import json, sys
from fruits_pipeline.__main__ import main
try:
    main(sys.argv[1:])
except SystemExit as exc:
    exit_code = exc.code
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
def tensorflow_modules(_=None):
    return [*{"tensorflow", "keras"} & {*sys.modules}]
worker = spark.sparkContext.parallelize([0], 1).map(tensorflow_modules)
print(json.dumps({
    "exit_code": exit_code,
    "tensorflow_modules": tensorflow_modules() + worker.first(),
    "master": spark.sparkContext.master,
    "heap": spark.conf.get("spark.driver.memory"),
    "java_mib": spark._jvm.java.lang.Runtime.getRuntime().maxMemory() >> 20,
    "partitions": spark.conf.get("spark.sql.shuffle.partitions"),
    "sockets": spark.conf.get("spark.python.unix.domain.socket.dir"),
}))
"""


@pytest.fixture(scope="module")
def new_process(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """Run the pipeline in a new process, and return the properties of that process.

    The configuration sets the shuffle partitions; all other resources are automatic.
    """
    folder = tmp_path_factory.mktemp("new process")
    photos = {f"Kiwi/{seed}.jpg": jpeg(seed) for seed in range(3)}
    write_files(folder / "photos", photos)
    shutil.copytree(PROJECT / "conf", folder / "conf")
    settings = folder / "conf/local/spark.yml"
    settings.write_text("spark.sql.shuffle.partitions: 3\n")
    parameters = f"photos={folder}/photos,root={folder}/out"
    arguments = ["--conf-source", f"{folder}/conf", "--params", parameters]
    output = run_python("-W", "ignore", "-c", RUN_AND_INSPECT, *arguments)
    properties: Mapping[str, Any] = json.loads(output.splitlines()[-1])
    return properties


def test_master_uses_all_cpus(new_process: Mapping[str, Any]) -> None:
    assert new_process["master"] == f"local[{cpu_count()},3]"


def test_jvm_has_the_automatic_heap_size(new_process: Mapping[str, Any]) -> None:
    heap = int(new_process["heap"].removesuffix("m"))
    assert MIN_HEAP_MIB <= heap <= MAX_HEAP_MIB
    assert 0.8 * heap <= new_process["java_mib"] <= heap


def test_setting_of_the_environment_is_kept(new_process: Mapping[str, Any]) -> None:
    assert new_process["partitions"] == "3"


def test_workers_use_the_interpreter_of_this_process(spark: SparkSession) -> None:
    workers = spark.sparkContext.parallelize([0], 1).map(lambda _: sys.executable)
    assert workers.collect() == [sys.executable]


def test_existing_session_is_returned(spark: SparkSession) -> None:
    again = start_spark({"spark.master": "local[1]", "spark.app.name": "another"})
    assert again.sparkContext is spark.sparkContext


def test_executors_get_the_region_of_this_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    assert executor_environ()["spark.executorEnv.AWS_REGION"] == "eu-west-3"


def test_spark_logs_only_errors(spark: SparkSession) -> None:
    manager = spark._jvm.org.apache.logging.log4j.LogManager
    assert manager.getRootLogger().getLevel().toString() == "ERROR"


def test_run_does_not_import_tensorflow(new_process: Mapping[str, Any]) -> None:
    assert new_process["exit_code"] == 0
    assert new_process["tensorflow_modules"] == []


def test_run_deletes_its_sockets(new_process: Mapping[str, Any]) -> None:
    assert not Path(new_process["sockets"]).exists()


START_AND_STOP = """
import json, sys
from fruits_pipeline.spark.session import start_spark
start_spark(json.loads(sys.argv[1])).stop()
"""


def test_event_log_contains_no_credentials(tmp_path: Path) -> None:
    secret = "hunter-two-of-nobody"  # noqa: S105 - in no account
    settings = {
        "spark.app.name": "test",
        "spark.ui.enabled": "false",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.compress": "false",
        "spark.eventLog.dir": str(tmp_path),
        "spark.hadoop.fs.s3a.secret.key": secret,
        "spark.hadoop.fs.s3a.access.key": secret,
        "spark.hadoop.fs.s3a.endpoint": f"http://user:{secret}@127.0.0.1:9000",
    }
    run_python("-c", START_AND_STOP, json.dumps(settings))
    logs = [file for file in tmp_path.rglob("*") if file.is_file()]
    text = b"".join(file.read_bytes() for file in logs)
    assert b"fs.s3a.endpoint" in text
    assert secret.encode() not in text
