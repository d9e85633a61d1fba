import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from factories import run_python, write_files
from fake_imds import metadata_service
from fake_s3 import Cloud, enforce_iam, moto_server
from fake_server import BUCKET, PARAMETERS, PHOTOS, ROLE, Server, server_environ
from template_policy import Stack, server_policy


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server whose bucket contains `PHOTOS`. Permissions are not enforced."""
    with ExitStack() as stack:
        url = stack.enter_context(moto_server(tmp_path_factory.mktemp("m") / "log"))
        cloud = Cloud(url)
        cloud.create_bucket(BUCKET, {f"photos/{path}": PHOTOS[path] for path in PHOTOS})
        trust = Stack().properties("ServerRole")["AssumeRolePolicyDocument"]
        role = cloud.iam.create_role(
            RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(trust)
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
    run_python("-m", "kedro", "run", "--params", parameters)
    return folder / "data"
