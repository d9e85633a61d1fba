from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from deltalake import DeltaTable
from factories import TABLES
from fake_server import BUCKET, PARAMETERS, Server

pytestmark = pytest.mark.cloud

COMPARED = [name for name in TABLES if name != "moments"]


@pytest.fixture(scope="module")
def said(server: Server) -> str:
    """What the first run on S3 said."""
    return server.run()


@pytest.fixture(scope="module")
def tables(said: str, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of the first run on S3, downloaded."""
    assert said
    return server.download(tmp_path_factory.mktemp("s3"))


def rows(root: Path, table: str) -> pd.DataFrame:
    found = DeltaTable(str(root / TABLES[table])).to_pandas().sort_values("path")
    # Only these depend on where the photos lie.
    return found.drop(columns=["modified_at", "etag"], errors="ignore").reset_index(
        drop=True
    )


@pytest.mark.parametrize("table", COMPARED)
def test_tables_on_s3_equal_those_of_a_local_run_row_for_row(
    tables: Path, local_run: Path, table: str
) -> None:
    pd.testing.assert_frame_equal(
        rows(tables, table), rows(local_run, table), check_exact=True
    )


def test_the_summary_counts_what_the_local_one_does(
    tables: Path, local_run: Path
) -> None:
    summaries = [
        json.loads((root / "08_reporting/run_summary.json").read_text())
        for root in (tables, local_run)
    ]
    for summary in summaries:
        del summary["seconds"], summary["photos_per_second"]
    assert summaries[0] == summaries[1]


def test_every_batch_is_a_commit(tables: Path) -> None:
    for folder in TABLES.values():
        history = DeltaTable(str(tables / folder)).history()
        assert [h["operation"] for h in history].count("WRITE") == 3


def test_a_second_run_writes_no_batch_and_reads_no_photo(
    said: str, server: Server
) -> None:
    assert said
    again = server.run()
    key = "data/08_reporting/run_summary.json"
    body = server.cloud.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    assert set(json.loads(body)["batches_written"].values()) == {0}
    assert "photos: nothing new" in again


def test_the_event_log_goes_to_the_bucket_by_choice(said: str, server: Server) -> None:
    assert said

    def logs() -> list[str]:
        found = server.cloud.s3.list_objects_v2(Bucket=BUCKET, Prefix="data/events/")
        keys = [item["Key"] for item in found.get("Contents", [])]
        return [key for key in keys if not key.endswith(".keep")]

    assert not logs()
    server.run(f"{PARAMETERS},event_log=true")
    assert logs()


@pytest.mark.parametrize(
    ("environ", "words"),
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
def test_what_a_server_lacks_is_said_before_spark_starts(
    server: Server, environ: dict[str, str], words: list[str]
) -> None:
    done = server.kedro("run", "--env", "ec2", **environ)
    assert done.returncode == 1
    assert "Spark" not in done.stdout + done.stderr
    for word in words:
        assert word in done.stderr


def test_a_bucket_outside_the_regions_is_refused(server: Server) -> None:
    done = server.kedro(
        *("run", "--env", "ec2", "--params", "storage.regions=[eu-north-1]")
    )
    assert done.returncode == 1
    assert "storage.regions" in done.stderr
