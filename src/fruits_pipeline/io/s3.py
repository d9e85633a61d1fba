"""The client of S3: repeats requests that failed for a transient reason.

All packages get it from `fsspec.filesystem("s3")`. Import this module only for S3: it is
slow to import.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

import aiohttp
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError
from botocore.retries.standard import ExponentialBackoff, RetryContext
from fsspec.asyn import sync_wrapper
from s3fs import S3FileSystem
from s3fs.errors import translate_boto_error

from fruits_pipeline.io.read_errors import s3_code, unavailable_error
from fruits_pipeline.io.request_counts import SENT

Result = TypeVar("Result")

CONNECT_TIMEOUT, READ_TIMEOUT = 5, 10
"""Seconds to wait for a connection, and for the next bytes of a response."""

MAX_DELAY = 2
"""Maximum seconds between two requests."""

BACKOFF = ExponentialBackoff(MAX_DELAY)
"""Jittered back-off: a random time of up to 1, 2, 2, ... seconds."""

TRANSIENT_CODES = {
    *("RequestTimeout", "SlowDown", "SlowDownRead", "SlowDownWrite"),
    *("Throttling", "ThrottlingException", "TooManyRequests", "429"),
}
"""Error codes, with an HTTP status below 500, of requests that can be repeated."""

TRANSIENT_ERRORS = (
    *(boto.HTTPClientError, boto.ConnectionError, boto.IncompleteReadError),
    *(boto.FlexibleChecksumError, ResponseParserError),
    *(aiohttp.ClientError, asyncio.TimeoutError, ConnectionError),
)
"""Errors of connections, and responses that are truncated or differ from their checksum."""


def is_transient(error: BaseException) -> bool:
    """Return whether the same request can succeed later."""
    code = s3_code(error)
    if code is None:
        return isinstance(error, TRANSIENT_ERRORS)
    metadata = getattr(error, "response", {}).get("ResponseMetadata", {})
    status = metadata.get("HTTPStatusCode", 0)
    is_server_error = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return code in TRANSIENT_CODES or is_server_error


class Attempts:
    """Waits between repetitions of a request, for a limited time.

    Args:
        patience: Seconds from the first failure after which to give up.

    Attributes:
        failures: Number of failures after which the request was repeated.
        first_failure: Time of the first failure, `time.monotonic()`; None before it.
    """

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.failures = 0
        self.first_failure: float | None = None

    async def wait(self) -> bool:
        """Wait after a failure; return False if the time is over."""
        now = time.monotonic()
        if self.first_failure is None:
            self.first_failure = now
        if now - self.first_failure > self.patience:
            return False
        self.failures += 1
        await asyncio.sleep(BACKOFF.delay_amount(RetryContext(self.failures)))
        return True


class PatientS3(S3FileSystem):  # type: ignore[misc]
    """S3 whose requests are repeated here, and by neither botocore nor s3fs.

    Attributes:
        patience: Seconds after which a request that fails for transient reasons is not
            repeated any more.
    """

    patience = 45.0
    retries = 8  # of reading a range of an open file: s3fs does not call `_cat_file`

    def _prepare_config_kwargs(self) -> dict[str, Any]:
        return {
            "connect_timeout": CONNECT_TIMEOUT,
            "read_timeout": READ_TIMEOUT,
            "retries": {"total_max_attempts": 1},
            **self.config_kwargs,
        }

    async def set_session(self, *args: Any, **options: Any) -> Any:
        """Return the client, which counts its requests."""
        client = await super().set_session(*args, **options)
        count, event = SENT.add_sent, "before-send.s3"
        client.meta.events.register(event, count, unique_id="fruits-requests")
        return client

    async def send(self, operation: str, *groups: Any, **arguments: Any) -> Any:
        """Send one request, and return the response.

        Raises:
            BotoCoreError: There is no response.
            ClientError: The response is an error.
        """
        await self.set_session()
        method = getattr(await self.get_s3(arguments.get("Bucket")), operation)
        return await method(**self._get_s3_method_kwargs(method, *groups, **arguments))

    async def get(self, bucket: str, key: str, **arguments: Any) -> tuple[bytes, str]:
        """Read an object with one request, and return its content and ETag."""
        response = await self.send("get_object", Bucket=bucket, Key=key, **arguments)
        try:
            return await response["Body"].read(), response.get("ETag", "").strip('"')
        finally:
            response["Body"].close()

    async def _repeat(
        self, location: str, request: Callable[[], Awaitable[Result]]
    ) -> Result:
        """Send a request until it succeeds, or fails for a reason that is not transient.

        Raises:
            FruitsError: It failed for `patience` seconds.
            OSError: The response is another error.
        """
        attempts = Attempts(self.patience)
        while True:
            try:
                return await request()
            except Exception as exc:
                if not is_transient(exc):
                    error = translate_boto_error(exc)
                    if error is exc:
                        raise
                    raise error from exc
                if not await attempts.wait():
                    raise unavailable_error(f"s3://{location}", exc) from exc

    async def _call_s3(self, method: str, *groups: Any, **arguments: Any) -> Any:
        location = "/".join(filter(None, map(arguments.get, ("Bucket", "Key"))))
        request = partial(self.send, method, *groups, **arguments)
        return await self._repeat(location, request)

    call_s3 = sync_wrapper(_call_s3)

    async def _cat_file(
        self,
        path: str,
        version_id: str | None = None,
        start: int | None = None,
        end: int | None = None,
        **_: Any,
    ) -> bytes:
        """Read an object, or a range of its bytes, with one request."""
        bucket, key, version = self.split_path(path)
        arguments = {"VersionId": version_id or version}
        if start is not None or end is not None:
            arguments["Range"] = await self._process_limits(path, start, end)
        given = {name: value for name, value in arguments.items() if value}
        request = partial(self.get, bucket, key, **given)
        content, _etag = await self._repeat(f"{bucket}/{key}", request)
        return content
