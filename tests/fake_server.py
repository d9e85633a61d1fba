"""A server on EC2, as far as a process on it can tell; all of it on the loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factories import PROJECT, jpeg, truncated
from fake_s3 import REGION, Cloud, enforce_iam

BUCKET = "fruits-of-test"
ROLE = "fruits-server"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ec2.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
PHOTOS = {
    **{f"Training/Apple Red/{n}_100.jpg": jpeg(n) for n in range(12)},
    **{f"Test/Crème brûlée 🍎/{n}%20x.jpg": jpeg(100 + n) for n in range(6)},
    "loose.jpg": jpeg(7),
    "Training/Pear/broken.jpg": truncated(8),
    "Training/Pear/.hidden.jpg": b"",
}
PARAMETERS = "ingest.photos_per_batch=8,preprocess.max_error_rate=0.2"

# moto serves buckets by path only, and denies the bulk delete that AWS allows with
# s3:DeleteObject; neither is a setting of the project.
OF_MOTO = (
    "--conf spark.hadoop.fs.s3a.path.style.access=true "
    "--conf spark.hadoop.fs.s3a.multiobjectdelete.enable=false "
)


@dataclass(frozen=True)
class Server:
    """What a process finds on an EC2 server: a bucket, a region, a role; no key.

    Attributes:
        address: Of S3, and of everything else that moto serves.
        environ: Of processes on the server.
    """

    address: str
    environ: Mapping[str, str]

    @property
    def cloud(self) -> Cloud:
        return Cloud(self.address)

    def allow(self, policy: Mapping[str, Any]) -> None:
        """Give the role a policy, and no other, and enforce it."""
        enforce_iam(self.address, False)  # nobody else has leave to give it
        self.cloud.iam.put_role_policy(
            RoleName=ROLE, PolicyName="chain", PolicyDocument=json.dumps(policy)
        )
        enforce_iam(self.address, True)

    def kedro(
        self, *arguments: str, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run Kedro on the server; variables set to an empty string are left out."""
        found = {k: v for k, v in (dict(self.environ) | environ).items() if v}
        return subprocess.run(
            [sys.executable, "-m", "kedro", *arguments],
            cwd=PROJECT,
            env=found,
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, parameters: str = PARAMETERS, **environ: str) -> str:
        """Run the chain in the environment ec2, and return what it said."""
        done = self.kedro("run", "--env", "ec2", "--params", parameters, **environ)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def download(self, folder: Path) -> Path:
        """Copy what the bucket holds of tables into a folder."""
        pages = self.cloud.s3.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=BUCKET, Prefix="data/"):
            for item in page.get("Contents", []):
                file = folder / item["Key"].removeprefix("data/")
                if not item["Key"].endswith("/"):
                    file.parent.mkdir(parents=True, exist_ok=True)
                    body = self.cloud.s3.get_object(Bucket=BUCKET, Key=item["Key"])
                    file.write_bytes(body["Body"].read())
        return folder


def environ_of(address: str, metadata: str) -> dict[str, str]:
    """Return the environment of a server; delta-rs has names of its own for some."""
    kept = ("PATH", "HOME", "LANG", "JAVA_HOME", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "AWS_ALLOW_HTTP": "true",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata,
        "AWS_ENDPOINT_URL": address,
        "AWS_METADATA_ENDPOINT": metadata,
        "AWS_REGION": REGION,
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "DO_NOT_TRACK": "1",
        "FRUITS_BUCKET": BUCKET,
        "PYSPARK_SUBMIT_ARGS": f"{OF_MOTO} pyspark-shell",
        "PYTHONPATH": f"{PROJECT}/src",
    }
