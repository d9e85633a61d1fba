"""A fake EC2 server: subprocesses that find S3 and the metadata service on localhost."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from deltalake import DeltaTable
from factories import PROJECT, TABLES, jpeg, truncated_jpeg, write_files
from fake_s3 import REGION, Cloud, enforce_iam

BUCKET = "fruits-of-test"
ROLE = "fruits-server"
PHOTOS = {
    **{f"Training/Apple Red/{n}_100.jpg": jpeg(n) for n in range(12)},
    **{f"Test/Crème brûlée 🍎/{n}%20x.jpg": jpeg(100 + n) for n in range(6)},
    "loose.jpg": jpeg(7),
    "Training/Pear/broken.jpg": truncated_jpeg(8),
    "Training/Pear/.hidden.jpg": b"",
}
PARAMETERS = "ingest.photos_per_batch=8,preprocess.max_error_rate=0.2"

MOTO_SPARK_OPTIONS = (
    "--conf spark.hadoop.fs.s3a.path.style.access=true "
    "--conf spark.hadoop.fs.s3a.multiobjectdelete.enable=false "
)
"""Moto needs path-style URLs, and denies DeleteObjects with s3:DeleteObject, unlike AWS."""


@dataclass(frozen=True)
class Server:
    """An EC2 server with a bucket, a region and a role, but no access keys.

    Attributes:
        url: URL of the moto server.
        environ: Environment variables of processes on the server.
    """

    url: str
    environ: Mapping[str, str]

    @property
    def cloud(self) -> Cloud:
        return Cloud(self.url)

    def set_policy(self, policy: Mapping[str, Any]) -> None:
        """Replace the policy of the role, and enforce it."""
        enforce_iam(self.url, False)  # the client below has no IAM permissions
        self.cloud.iam.put_role_policy(
            RoleName=ROLE, PolicyName="server", PolicyDocument=json.dumps(policy)
        )
        enforce_iam(self.url, True)

    def kedro(
        self, *arguments: str, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run Kedro on the server.

        Args:
            *arguments: Arguments of the command line.
            **environ: Changes of the environment. Empty variables are removed.
        """
        return subprocess.run(
            [sys.executable, "-m", "kedro", *arguments],
            cwd=PROJECT,
            env={k: v for k, v in {**self.environ, **environ}.items() if v},
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, parameters: str = PARAMETERS, **environ: str) -> str:
        """Run the pipeline in the environment `ec2`, and return its output."""
        done = self.kedro("run", "--env", "ec2", "--params", parameters, **environ)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def download(self, folder: Path, prefix: str = "data/") -> Path:
        """Download everything below a prefix into a folder, and return the folder."""
        objects = self.cloud.read_objects(BUCKET, prefix)
        files = {key.removeprefix(prefix): objects[key] for key in objects}
        return write_files(
            folder, {path: files[path] for path in files if not path.endswith("/")}
        )


def server_environ(url: str, metadata_url: str) -> dict[str, str]:
    """Return the environment variables of a server; see `endpoint_environ`."""
    kept = ("PATH", "HOME", "LANG", "JAVA_HOME", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        **endpoint_environ(url, metadata_url),
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "DO_NOT_TRACK": "1",
        "PYTHONPATH": f"{PROJECT}/src",
    }


def endpoint_environ(url: str, metadata_url: str) -> dict[str, str]:
    """Return the environment variables of bucket, region and endpoints.

    Args:
        url: URL of the moto server.
        metadata_url: URL of the metadata service.
    """
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata_url,
        "AWS_METADATA_ENDPOINT": metadata_url,  # the same for delta-rs,
        "AWS_ALLOW_HTTP": "true",  # which refuses plain HTTP by default
        "AWS_REGION": REGION,
        "FRUITS_BUCKET": BUCKET,
    }


def read_rows(root: Path, table: str) -> pd.DataFrame:
    """Return the rows of a table by path, without columns that depend on the storage."""
    rows = DeltaTable(str(root / TABLES[table])).to_pandas()
    rows = rows.drop(columns=["modified_at", "etag"], errors="ignore")
    return rows.sort_values("path", ignore_index=True)
