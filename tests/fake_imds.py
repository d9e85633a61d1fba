"""A metadata service as EC2 has it, version 2 only, on the loopback."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

ROLE = "/latest/meta-data/iam/security-credentials/"


@contextmanager
def metadata_service(credentials: Mapping[str, str]) -> Iterator[str]:
    """Serve a role's temporary credentials, and yield the address.

    Args:
        credentials: As STS answers them: AccessKeyId, SecretAccessKey, SessionToken.
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
        """Say nothing."""

    def do_PUT(self) -> None:
        asked = self.path == "/latest/api/token"
        self._answer(200 if asked else 404, self.token if asked else "")

    def do_GET(self) -> None:
        if self.headers.get("X-aws-ec2-metadata-token") != self.token:
            self._answer(401, "")
        elif self.path == ROLE:
            self._answer(200, "fruits")
        elif self.path == f"{ROLE}fruits":
            self._answer(200, json.dumps(self._role()))
        else:
            self._answer(404, "")

    def _role(self) -> dict[str, str]:
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

    def _answer(self, code: int, text: str) -> None:
        body = text.encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
