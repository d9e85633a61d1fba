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
from fake_server import (
    BUCKET,
    PARAMETERS,
    PHOTOS,
    ROLE,
    TRUST_POLICY,
    Server,
    server_environ,
)
from template_policy import server_policy


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server whose bucket contains `PHOTOS`. Permissions are not enforced."""
    with ExitStack() as stack:
        url = stack.enter_context(moto_server(tmp_path_factory.mktemp("m") / "log"))
        cloud = Cloud(url)
        cloud.s3.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        for path, content in PHOTOS.items():
            cloud.s3.put_object(Bucket=BUCKET, Key=f"photos/{path}", Body=content)
        role = cloud.iam.create_role(
            RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(TRUST_POLICY)
        )["Role"]
        session = cloud.sts.assume_role(RoleArn=role["Arn"], RoleSessionName="server")
        metadata = stack.enter_context(metadata_service(session["Credentials"]))
        yield Server(url, server_environ(url, metadata))


@pytest.fixture(scope="module")
def restricted_server(server: Server) -> Iterator[Server]:
    """Return the server with the policy of the template, which is enforced."""
    server.set_policy(server_policy(BUCKET))
    yield server
    enforce_iam(server.url, False)


@pytest.fixture(scope="session")
def local_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the pipeline on a local copy of the photos, and return its root."""
    folder = tmp_path_factory.mktemp("local")
    write_files(folder / "photos", PHOTOS)
    parameters = f"photos={folder}/photos,root={folder}/data,{PARAMETERS}"
    subprocess.run(
        [sys.executable, "-m", "kedro", "run", "--params", parameters],
        cwd=PROJECT,
        env=os.environ | {"PYTHONPATH": f"{PROJECT}/src"},
        check=True,
        capture_output=True,
    )
    return folder / "data"
