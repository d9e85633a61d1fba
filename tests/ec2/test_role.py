"""The pipeline and the start script need exactly the permissions of the template."""

from collections.abc import Callable, Iterator

import pytest
import s3fs
from botocore.exceptions import ClientError
from fake_server import BUCKET, Server
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
