"""Run the commands of deploy/README.md on a moto server, except those that need AWS."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from factories import PROJECT, jpeg, write_files
from fake_s3 import REGION, Cloud, moto_server

pytestmark = pytest.mark.cloud

README = PROJECT / "deploy/README.md"
COMMANDS = [
    command
    for block in re.findall(r"```console\n(.*?)```", README.read_text(), re.DOTALL)
    for command in re.findall(r"^ *\$ (.+)$", block, re.MULTILINE)
]
NEED_AWS = ("ssm start-session", "ce update-cost-allocation", "read BUCKET SERVER")
"""Commands that the README marks as not run."""
NAMES = """
BUCKET=$(aws s3api list-buckets --query 'Buckets[0].Name' --output text)
SERVER=$(aws ec2 describe-instances --query 'Reservations[0].Instances[0].InstanceId' --output text)
aws s3 cp summary.json s3://$BUCKET/data/08_reporting/run_summary.json
aws s3 cp summary.json s3://$BUCKET/logs/run.log
aws s3 cp summary.json s3://$BUCKET/bundle/fruits-pipeline.tar.gz
aws s3api put-bucket-versioning --bucket $BUCKET --versioning-configuration Status=Enabled
"""
"""What AWS and a run do after the stack is created, and moto does not."""


@pytest.fixture
def environ(debian: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Return the environment of a shell with the AWS CLI, whose cloud is a moto server."""
    files = {
        "bin/aws": f'#!/bin/sh\nPYTHONPATH={debian}/opt/aws exec {sys.executable} -m awscli "$@"\n',
        "summary.json": "{}",
        "dist/fruits-pipeline.tar.gz": "a bundle",
    }
    write_files(tmp_path, {name: text.encode() for name, text in files.items()})
    write_files(tmp_path, {"photos/Apple/1.jpg": jpeg(1)})
    (tmp_path / "bin/aws").chmod(0o755)
    (tmp_path / "deploy").symlink_to(PROJECT / "deploy")
    with moto_server(tmp_path / "log") as url:
        yield {
            "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "AWS_ENDPOINT_URL": url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }


def test_commands_succeed(environ: dict[str, str], tmp_path: Path) -> None:
    usable = [
        command
        for command in COMMANDS
        if command.startswith(("aws ", "VPC=", "SUBNET=", "ROUTES=", "IMAGE=", "read "))
    ]
    assert len(usable) > 20
    script = ["set -euxo pipefail"]
    for command in usable:
        if "read BUCKET" in command:
            script.append(NAMES)
        elif not any(text in command for text in NEED_AWS):
            script.append(command)
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],  # noqa: S607 - found on the PATH
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Successfully created/updated stack - fruits" in done.stdout
    assert Cloud(environ["AWS_ENDPOINT_URL"]).s3.list_buckets()["Buckets"]
