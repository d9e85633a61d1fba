"""A bucket, a role and a metadata service on the loopback, and runs that use them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from factories import PROJECT, write_files
from fake_imds import metadata_service
from fake_s3 import REGION, Cloud, enforce_iam, moto_server
from fake_server import BUCKET, PARAMETERS, PHOTOS, ROLE, TRUST, Server, environ_of
from template_policy import chain_policy


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start S3 and the metadata service, with photos in the bucket and the full role."""
    with ExitStack() as stack:
        address = stack.enter_context(moto_server(tmp_path_factory.mktemp("m") / "log"))
        cloud = Cloud(address)
        cloud.s3.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        for path, content in PHOTOS.items():
            cloud.s3.put_object(Bucket=BUCKET, Key=f"photos/{path}", Body=content)
        role = cloud.iam.create_role(
            RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(TRUST)
        )["Role"]
        answer = cloud.sts.assume_role(RoleArn=role["Arn"], RoleSessionName="server")
        metadata = stack.enter_context(metadata_service(answer["Credentials"]))
        yield Server(address, environ_of(address, metadata))


@pytest.fixture(scope="module")
def enforced(server: Server) -> Iterator[Server]:
    """Let S3 check every request against the role of the template."""
    server.allow(chain_policy(BUCKET))
    yield server
    enforce_iam(server.address, False)


@pytest.fixture(scope="session")
def local_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the chain on the same photos on this disk, and return its root."""
    folder = tmp_path_factory.mktemp("local")
    write_files(folder / "photos", PHOTOS)
    parameters = f"photos={folder}/photos,root={folder}/data,{PARAMETERS}"
    environ = os.environ | {"PYTHONPATH": f"{PROJECT}/src"}
    subprocess.run(
        [sys.executable, "-m", "kedro", "run", "--params", parameters],
        cwd=PROJECT,
        env=environ,
        check=True,
        capture_output=True,
    )
    return folder / "data"
