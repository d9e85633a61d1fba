"""A moto server, which emulates AWS, and its clients."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import requests

REGION = "eu-west-3"


class Cloud:
    """boto3 clients of a moto server, by service: `cloud.iam`, `cloud.ec2`, ...

    Args:
        url: URL of the server.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def __getattr__(self, service: str) -> Any:
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        return boto3.client(service, endpoint_url=self.url, region_name=REGION, **keys)

    def create_bucket(self, name: str, objects: Mapping[str, bytes]) -> None:
        """Create a bucket with objects, given by key."""
        location = {"LocationConstraint": REGION}
        self.s3.create_bucket(Bucket=name, CreateBucketConfiguration=location)
        for key, content in objects.items():
            self.s3.put_object(Bucket=name, Key=key, Body=content)

    def read_objects(self, bucket: str, prefix: str) -> dict[str, bytes]:
        """Return the objects with a prefix by key."""
        pages = self.s3.get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=bucket, Prefix=prefix)
        keys = [item["Key"] for page in found for item in page.get("Contents", [])]
        objects = {key: self.s3.get_object(Bucket=bucket, Key=key) for key in keys}
        return {key: one["Body"].read() for key, one in objects.items()}


class Bucket:
    """A new bucket.

    Args:
        cloud: Clients of the server.
        name: Name of the bucket.
    """

    def __init__(self, cloud: Cloud, name: str) -> None:
        self.cloud = cloud
        self.name = name
        cloud.create_bucket(name, {})

    def put(self, objects: Mapping[str, bytes], storage_class: str = "STANDARD") -> str:
        """Add objects, given by key, and return the URL of the bucket."""
        for key, content in objects.items():
            self.cloud.s3.put_object(
                Bucket=self.name, Key=key, Body=content, StorageClass=storage_class
            )
        return f"s3://{self.name}"


@contextmanager
def moto_server(log: Path) -> Iterator[str]:
    """Run a moto server on a free port of localhost, and yield its URL.

    Args:
        log: File for its output.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with (
        log.open("wb") as output,
        subprocess.Popen(command, stdout=output, stderr=output) as server,
    ):
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_for(f"{url}/moto-api/data.json", log)
            yield url
        finally:
            server.terminate()


def _wait_for(url: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            requests.get(url, timeout=10)
            return
        except requests.RequestException:
            time.sleep(0.2)
    raise TimeoutError(f"Found no response from {url}: {log.read_text()}")


def enforce_iam(url: str, enforced: bool) -> None:
    """Turn the authorisation of requests by IAM policies on or off.

    Args:
        url: URL of the moto server.
        enforced: Whether requests need permission.
    """
    unchecked_requests = "0" if enforced else "1000000000"
    requests.post(f"{url}/moto-api/reset-auth", unchecked_requests, timeout=10)


@contextmanager
def fixed_response(status: int, body: str) -> Iterator[str]:
    """Run a server that sends the same response to every request; yield its URL."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Log nothing."""

        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
