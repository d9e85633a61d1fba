import json
from pathlib import Path

import pandas as pd
import pytest
from deltalake import DeltaTable
from factories import TABLES
from fake_server import BUCKET, PARAMETERS, Server, read_rows
from faulty_s3 import Faults, faulty_s3

pytestmark = pytest.mark.cloud

TABLES_OF_PHOTOS = [name for name in TABLES if name != "moments"]


@pytest.fixture(scope="module")
def faults() -> Faults:
    """Count the requests of the first run. There are no faults."""
    return Faults()


@pytest.fixture(scope="module")
def first_run(server: Server, faults: Faults) -> str:
    """Run the pipeline for the first time, and return its output."""
    with faulty_s3(server.url, faults) as url:
        return server.run(AWS_ENDPOINT_URL=url)


@pytest.fixture(scope="module")
def downloaded(
    first_run: str, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return a folder with the tables and reports of the first run."""
    assert first_run
    return server.download(tmp_path_factory.mktemp("s3"))


@pytest.mark.parametrize("table", TABLES_OF_PHOTOS)
def test_tables_on_s3_equal_tables_of_a_local_run(
    downloaded: Path, local_run: Path, table: str
) -> None:
    pd.testing.assert_frame_equal(
        read_rows(downloaded, table), read_rows(local_run, table), check_exact=True
    )


def test_summary_is_that_of_a_local_run(downloaded: Path, local_run: Path) -> None:
    summaries = [
        json.loads((root / "08_reporting/run_summary.json").read_text())
        for root in (downloaded, local_run)
    ]
    for summary in summaries:
        for name in (
            *("seconds", "photos_per_second"),
            *("run_id", "parameters", "cost"),
        ):
            del summary[name]
    assert summaries[0] == summaries[1]


def test_summary_states_the_cost(downloaded: Path, faults: Faults) -> None:
    cost = json.loads((downloaded / "08_reporting/run_summary.json").read_text())[
        "cost"
    ]
    counted, estimated = cost["requests"], cost["requests_estimated"]
    writes, reads = faults.billed_requests()
    assert counted["writes"] + estimated["writes"] == pytest.approx(writes, rel=0.2)
    assert counted["reads"] + estimated["reads"] == pytest.approx(reads, rel=0.2)
    # Without delta-rs, which sends the requests for logs.
    writes, reads = faults.billed_requests(excluded="_delta_log")
    assert counted["writes"] == pytest.approx(writes, rel=0.2)
    assert counted["reads"] == pytest.approx(reads, rel=0.2)
    assert cost["instance"] == "t3.micro"
    usd = cost["usd"]
    assert cost["total_usd"] == pytest.approx(sum(usd.values()), abs=1e-5)
    assert 0 < usd["requests"] < 0.01


def test_log_is_json_with_the_id_of_the_run(first_run: str, downloaded: Path) -> None:
    summary = json.loads((downloaded / "08_reporting/run_summary.json").read_text())
    lines = [line for line in first_run.splitlines() if line.startswith("{")]
    assert {json.loads(line)["run_id"] for line in lines} == {summary["run_id"]}


def test_each_batch_is_one_commit(downloaded: Path) -> None:
    for folder in TABLES.values():
        history = DeltaTable(str(downloaded / folder)).history()
        assert [h["operation"] for h in history].count("WRITE") == 3


def test_second_run_writes_no_batch(first_run: str, server: Server) -> None:
    assert first_run
    output = server.run()
    key = "data/08_reporting/run_summary.json"
    body = server.cloud.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    assert set(json.loads(body)["batches_written"].values()) == {0}
    assert "photos: nothing new" in output
    assert f"Report: s3://{BUCKET}/data/08_reporting/report.html" in output


def test_event_log_is_written_on_request(first_run: str, server: Server) -> None:
    assert first_run

    def event_logs() -> list[str]:
        found = server.cloud.s3.list_objects_v2(Bucket=BUCKET, Prefix="data/events/")
        keys = [item["Key"] for item in found.get("Contents", [])]
        return [key for key in keys if not key.endswith(".keep")]

    assert not event_logs()
    server.run(f"{PARAMETERS},event_log=true")
    assert event_logs()


@pytest.mark.parametrize(
    ("environ", "messages"),
    [
        ({"FRUITS_BUCKET": ""}, ["no environment variable FRUITS_BUCKET"]),
        ({"AWS_REGION": ""}, ["no environment variable AWS_REGION"]),
        ({"FRUITS_BUCKET": "nobodys-fruits"}, ["nobodys-fruits", "NoSuchBucket"]),
        ({"AWS_REGION": "eu-west-1"}, ["eu-west-3", "AWS_REGION=eu-west-3"]),
        (
            {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9"},
            ["MetadataRetrievalError", "instance profile"],
        ),
    ],
    ids=["no bucket variable", "no region", "no bucket", "wrong region", "no role"],
)
def test_wrong_environment_is_reported_before_spark_starts(
    server: Server, environ: dict[str, str], messages: list[str]
) -> None:
    done = server.kedro("run", "--env", "ec2", **environ)
    assert done.returncode == 2
    assert "Spark" not in done.stdout + done.stderr
    for message in messages:
        assert message in done.stderr


def test_bucket_outside_the_allowed_regions_is_refused(server: Server) -> None:
    done = server.kedro(
        "run", "--env", "ec2", "--params", "storage.regions=[eu-north-1]"
    )
    assert done.returncode == 2
    assert "storage.regions" in done.stderr
