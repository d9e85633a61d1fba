import json
from pathlib import Path

import pytest
from chaos.search import erased_photos, find_traces, read_tables
from fake_s3 import enforce_iam
from fake_server import BUCKET, PARAMETERS, Server
from template_policy import server_policy

pytestmark = pytest.mark.cloud

# "loose.jpg" has the bytes of "Training/Apple Red/7_100.jpg".
GIVEN = ["Test/Crème brûlée 🍎/1%20x.jpg", "loose.jpg"]
ERASED = {*GIVEN, "Training/Apple Red/7_100.jpg"}


def test_photos_are_erased_from_a_bucket(server: Server, tmp_path: Path) -> None:
    server.run()
    before = read_tables(server.download(tmp_path / "before"))
    ids = {row["photo_id"] for row in before["photos"] if row["path"] in ERASED}
    options = ["--env", "ec2", "--params", PARAMETERS]
    server.set_policy(server_policy(BUCKET))
    done = server.kedro(
        "forget", GIVEN[0], f"s3://{BUCKET}/photos/{GIVEN[1]}", *options
    )
    enforce_iam(server.url, False)
    assert done.returncode == 0, done.stdout + done.stderr
    for path in ERASED:
        assert f"  {path}\n" in done.stdout  # the files still exist
    root = server.download(tmp_path / "after")
    assert not [*find_traces(root, erased_photos(before, ERASED, ids))]
    (receipt,) = (root / "08_reporting/receipts").iterdir()
    assert json.loads(receipt.read_text())["photos"] == len(ids)

    copy = {"Bucket": BUCKET, "Key": f"photos/{GIVEN[1]}"}
    server.cloud.s3.copy_object(Bucket=BUCKET, Key="photos/new.jpg", CopySource=copy)
    output = " ".join(server.run().split())
    assert f"{len(ERASED) + 1} forgotten" in output
    stored = read_tables(server.download(tmp_path / "again"))["photos"]
    assert {row["path"] for row in stored} == {
        row["path"] for row in before["photos"] if row["path"] not in ERASED
    }
