from __future__ import annotations

import pytest
import s3fs
from botocore.exceptions import ClientError
from fake_server import BUCKET, Server
from template_policy import chain_policy

pytestmark = pytest.mark.cloud


@pytest.fixture
def role(enforced: Server, monkeypatch: pytest.MonkeyPatch) -> s3fs.S3FileSystem:
    """S3 as the server's role may use it."""
    for name, value in enforced.environ.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return s3fs.S3FileSystem(skip_instance_cache=True)


def test_the_role_is_enough_for_the_chain(enforced: Server) -> None:
    assert "Run summary" in enforced.run()


@pytest.mark.parametrize(
    "key", ["photos/new.jpg", "elsewhere/new.jpg", "bundle/new.tar.gz"]
)
def test_the_role_may_write_tables_only(role: s3fs.S3FileSystem, key: str) -> None:
    role.pipe_file(f"{BUCKET}/data/may.json", b"{}")
    with pytest.raises(PermissionError):
        role.pipe_file(f"{BUCKET}/{key}", b"no")


def test_the_role_may_not_delete_photos(role: s3fs.S3FileSystem) -> None:
    with pytest.raises(PermissionError):
        role.rm_file(f"{BUCKET}/photos/loose.jpg")


@pytest.mark.parametrize("key", ["elsewhere/x", "logs/x"])
def test_the_role_may_not_read_other_prefixes(
    role: s3fs.S3FileSystem, key: str
) -> None:
    with pytest.raises(PermissionError):
        role.cat_file(f"{BUCKET}/{key}")


def test_the_role_may_not_use_another_bucket(role: s3fs.S3FileSystem) -> None:
    with pytest.raises((PermissionError, ClientError)):
        role.ls("another-bucket", refresh=True)


def test_the_role_may_fetch_the_bundle_and_add_logs(role: s3fs.S3FileSystem) -> None:
    role.pipe_file(f"{BUCKET}/logs/run.log", b"done")
    with pytest.raises(FileNotFoundError):
        role.cat_file(f"{BUCKET}/bundle/fruits-pipeline.tar.gz")


@pytest.mark.parametrize(
    ("sid", "word"),
    [
        ("LocateBucket", "s3:GetBucketLocation"),
        ("ListPhotosAndTables", "s3:ListBucket"),
        ("ReadPhotos", "cannot be read"),
        ("WriteTables", "s3:GetObject on arn:aws:s3:::fruits-of-test/data"),
    ],
)
def test_without_any_one_statement_the_chain_breaks(
    enforced: Server, sid: str, word: str
) -> None:
    enforced.allow(chain_policy(BUCKET, without=sid))
    done = enforced.kedro(
        *("run", "--env", "ec2", "--params"),
        f"root=s3://{BUCKET}/data/without-{sid},preprocess.max_error_rate=0.2",
    )
    enforced.allow(chain_policy(BUCKET))
    assert done.returncode == 1
    assert word.lower() in done.stderr.lower(), done.stderr


@pytest.mark.parametrize("sid", ["ReadBundle", "WriteLogs"])
def test_without_these_the_server_cannot_start_or_tell(
    role: s3fs.S3FileSystem, enforced: Server, sid: str
) -> None:
    enforced.allow(chain_policy(BUCKET, without=sid))
    with pytest.raises(PermissionError):
        if sid == "ReadBundle":
            role.cat_file(f"{BUCKET}/bundle/fruits-pipeline.tar.gz")
        else:
            role.pipe_file(f"{BUCKET}/logs/run.log", b"done")
    enforced.allow(chain_policy(BUCKET))
