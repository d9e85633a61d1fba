"""A fake EC2 instance metadata service, version 2 (IMDSv2)."""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

CREDENTIALS = "/latest/meta-data/iam/security-credentials/"
ROLE = "fruits"
INSTANCE = {
    "instance-type": "t3.micro",
    "placement/region": "eu-west-3",
    "instance-life-cycle": "on-demand",
}
"""Metadata of the instance."""


@contextmanager
def metadata_service(credentials: Mapping[str, str]) -> Iterator[str]:
    """Serve the temporary credentials of a role on localhost, and yield the URL.

    Args:
        credentials: AccessKeyId, SecretAccessKey and SessionToken, as returned by STS.
    """
    handler = type("Handler", (_Handler,), {"credentials": credentials})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    credentials: Mapping[str, str]
    token = secrets.token_urlsafe()

    def log_message(self, *_: object) -> None:
        """Suppress the request log."""

    def do_PUT(self) -> None:
        if self.path == "/latest/api/token":
            self._respond(200, self.token)
        else:
            self._respond(404)

    def do_GET(self) -> None:
        if self.headers.get("X-aws-ec2-metadata-token") != self.token:
            self._respond(401)
        elif self.path == CREDENTIALS:
            self._respond(200, ROLE)
        elif self.path == CREDENTIALS + ROLE:
            self._respond(200, json.dumps(self._role_credentials()))
        elif (name := self.path.removeprefix("/latest/meta-data/")) in INSTANCE:
            self._respond(200, INSTANCE[name])
        else:
            self._respond(404)

    def _role_credentials(self) -> dict[str, str]:
        now = datetime.now(UTC)
        return {
            "Code": "Success",
            "Type": "AWS-HMAC",
            "LastUpdated": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "Expiration": f"{now + timedelta(hours=6):%Y-%m-%dT%H:%M:%SZ}",
            "AccessKeyId": self.credentials["AccessKeyId"],
            "SecretAccessKey": self.credentials["SecretAccessKey"],
            "Token": self.credentials["SessionToken"],
        }

    def _respond(self, code: int, text: str = "") -> None:
        body = text.encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
