"""The pipeline and the start script need exactly the permissions of the template."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
import s3fs
from botocore.exceptions import ClientError
from factories import TABLES
from fake_s3 import enforce_iam
from fake_server import BUCKET, PARAMETERS, Server, read_rows
from template_policy import server_policy

pytestmark = pytest.mark.cloud


@pytest.fixture
def s3(restricted_server: Server, monkeypatch: pytest.MonkeyPatch) -> s3fs.S3FileSystem:
    """Return S3 with the permissions of the server's role."""
    for name, value in restricted_server.environ.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return s3fs.S3FileSystem(skip_instance_cache=True)


@pytest.fixture
def remove_statement(restricted_server: Server) -> Iterator[Callable[[str], None]]:
    """Return a function that removes a statement from the policy during a test."""
    yield lambda sid: restricted_server.set_policy(server_policy(BUCKET, without=sid))
    restricted_server.set_policy(server_policy(BUCKET))


def test_role_is_sufficient_for_a_run(restricted_server: Server) -> None:
    assert "Run summary" in restricted_server.run()


def test_role_is_sufficient_for_tidy(restricted_server: Server, tmp_path: Path) -> None:
    policy = server_policy(BUCKET)
    # Moto asks for the permission to delete several objects of the bucket, AWS of each.
    on_bucket = {"Action": "s3:DeleteObject", "Resource": f"arn:aws:s3:::{BUCKET}"}
    policy["Statement"].append({"Effect": "Allow", **on_bucket})
    restricted_server.run()
    restricted_server.set_policy(policy)
    before = download(restricted_server, tmp_path / "before")
    larger = PARAMETERS.replace("photos_per_batch=8", "photos_per_batch=40")
    done = restricted_server.kedro(
        *("run", "--pipelines", "tidy", "--env", "ec2"),
        *("--params", f"{larger},tidy.keep_days=0"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    after = download(restricted_server, tmp_path / "after")
    for table in TABLES.keys() - {"moments"}:
        assert len(stored_files(after, table)) < len(stored_files(before, table))
        rows = [read_rows(root, table) for root in (after, before)]
        pd.testing.assert_frame_equal(*(each.drop(columns="batch") for each in rows))
    restricted_server.set_policy(server_policy(BUCKET))
    assert "photos: nothing new" in restricted_server.run(larger)


def download(server: Server, folder: Path) -> Path:
    """Download all tables with the permissions of an administrator."""
    enforce_iam(server.url, False)
    server.download(folder)
    enforce_iam(server.url, True)
    return folder


def stored_files(root: Path, table: str) -> list[Path]:
    """Return the data files that are stored for a table, read by its log or not."""
    return [*(root / TABLES[table]).rglob("*.parquet")]


@pytest.mark.parametrize(
    "key", ["photos/new.jpg", "elsewhere/new.jpg", "bundle/new.tar.gz"]
)
def test_role_may_write_only_below_data(s3: s3fs.S3FileSystem, key: str) -> None:
    s3.pipe_file(f"{BUCKET}/data/new.json", b"{}")
    with pytest.raises(PermissionError):
        s3.pipe_file(f"{BUCKET}/{key}", b"{}")


def test_role_may_not_delete_photos(s3: s3fs.S3FileSystem) -> None:
    with pytest.raises(PermissionError):
        s3.rm_file(f"{BUCKET}/photos/loose.jpg")


@pytest.mark.parametrize("key", ["elsewhere/x", "logs/x"])
def test_role_may_not_read_other_prefixes(s3: s3fs.S3FileSystem, key: str) -> None:
    with pytest.raises(PermissionError):
        s3.cat_file(f"{BUCKET}/{key}")


def test_role_may_not_use_another_bucket(s3: s3fs.S3FileSystem) -> None:
    with pytest.raises((PermissionError, ClientError)):
        s3.ls("another-bucket", refresh=True)


def test_role_may_read_the_bundle_and_write_logs(s3: s3fs.S3FileSystem) -> None:
    s3.pipe_file(f"{BUCKET}/logs/run.log", b"done")
    with pytest.raises(FileNotFoundError):  # permitted, but not there
        s3.cat_file(f"{BUCKET}/bundle/fruits-pipeline.tar.gz")


@pytest.mark.parametrize(
    ("sid", "message"),
    [
        ("LocateBucket", "s3:GetBucketLocation"),
        ("ListPhotosAndTables", "s3:ListBucket"),
        ("ReadPhotos", "cannot be read"),
        ("WriteTables", f"s3:PutObject on arn:aws:s3:::{BUCKET}/data"),
    ],
)
def test_run_fails_without_each_statement(
    restricted_server: Server,
    remove_statement: Callable[[str], None],
    sid: str,
    message: str,
) -> None:
    remove_statement(sid)
    parameters = f"root=s3://{BUCKET}/data/without-{sid},preprocess.max_error_rate=0.2"
    done = restricted_server.kedro("run", "--env", "ec2", "--params", parameters)
    assert done.returncode == 2
    assert message.lower() in done.stderr.lower(), done.stderr


def test_bundle_cannot_be_read_without_its_statement(
    s3: s3fs.S3FileSystem, remove_statement: Callable[[str], None]
) -> None:
    remove_statement("ReadBundle")
    with pytest.raises(PermissionError):
        s3.cat_file(f"{BUCKET}/bundle/fruits-pipeline.tar.gz")


def test_logs_cannot_be_written_without_their_statement(
    s3: s3fs.S3FileSystem, remove_statement: Callable[[str], None]
) -> None:
    remove_statement("WriteLogs")
    with pytest.raises(PermissionError):
        s3.pipe_file(f"{BUCKET}/logs/run.log", b"done")
