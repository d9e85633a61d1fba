"""Read listed S3 objects, and tell faults of one object from those of the store.

Import this module only for S3: it is slow to import.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from botocore.exceptions import ClientError
from s3fs.errors import translate_boto_error

from fruits_pipeline.io.files import FileContent
from fruits_pipeline.io.listing import ListedFile
from fruits_pipeline.io.read_errors import (
    CHANGED,
    PhotoError,
    s3_code,
    store_error,
    unavailable_error,
)
from fruits_pipeline.io.s3 import Attempts, PatientS3, is_transient

MAX_READS_OF_CHANGED = 4
"""Number of times that an object with another ETag than listed is read."""

REPEATED_PATIENCE = 8.0
"""Seconds without any response, in a repeated attempt, after which to give up."""

MAX_FAILED_IN_A_ROW = 8
"""Number of objects without which the store is considered to respond, if it lists keys."""


class ObjectReader:
    """Reads objects below a prefix, each with one request if there is no fault.

    Args:
        file_system: Client of the store.
        base: `bucket/prefix` or `bucket`.
        requests_in_flight: Maximum number of concurrent requests.
        is_repeated: Whether an earlier attempt to read these objects has failed. Then less
            time passes until the store is considered not to respond at all.
    """

    def __init__(
        self,
        file_system: PatientS3,
        base: str,
        requests_in_flight: int,
        is_repeated: bool = False,
    ) -> None:
        self.file_system = file_system
        self.base = base
        self._is_repeated = is_repeated
        self._slots = asyncio.Semaphore(requests_in_flight)
        self._last_success = 0.0
        self._failed_in_a_row = 0

    async def read(self, files: Sequence[ListedFile]) -> list[FileContent]:
        """Return the content of each object, or the error of reading it.

        Raises:
            FruitsError: The store does not respond, or rejects the credentials.
        """
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._read(file)) for file in files]
        except ExceptionGroup as exc:
            raise exc.exceptions[0] from exc.exceptions[0].__cause__
        return [task.result() for task in tasks]

    async def _read(self, file: ListedFile) -> FileContent:
        async with self._slots:
            attempts = Attempts(self.file_system.patience)
            while True:
                found = await self._read_once(file, attempts)
                if isinstance(found, FileContent):
                    return found
                if self._is_repeated and not self._last_success:
                    attempts.patience = min(REPEATED_PATIENCE, attempts.patience)
                else:
                    attempts.patience = self.file_system.patience
                if not await attempts.wait():
                    error = await self._give_up(file, attempts, found)
                    return FileContent(error, retries=attempts.failures)

    async def _read_once(
        self, file: ListedFile, attempts: Attempts
    ) -> FileContent | Exception:
        """Return the content, a final error in it, or a transient error."""
        bucket, _, key = f"{self.base}/{file.path}".partition("/")
        try:
            content, etag = await self.file_system.get(bucket, key)
        except Exception as exc:
            if is_transient(exc):
                return exc
            if isinstance(exc, ClientError):
                error = translate_boto_error(exc)
                return FileContent(error, retries=attempts.failures)
            raise store_error(f"s3://{self.base}", exc) from exc
        self._last_success, self._failed_in_a_row = time.monotonic(), 0
        return _compare(file, content, etag, attempts.failures)

    async def _give_up(
        self, file: ListedFile, attempts: Attempts, error: Exception
    ) -> PhotoError:
        """Return the error of an object that other objects do not have.

        Raises:
            FruitsError: The store does not respond.
        """
        if isinstance(error, PhotoError):
            return error
        if self._last_success < (attempts.first_failure or 0.0):
            self._failed_in_a_row += 1
            is_down = self._failed_in_a_row > MAX_FAILED_IN_A_ROW
            if is_down or not await self._lists_keys():
                raise unavailable_error(f"s3://{self.base}/{file.path}", error)
        code = s3_code(error) or type(error).__name__
        return PhotoError(
            f"cannot be read: the store does not deliver it ({code}); the next run reads "
            "it again"
        )

    async def _lists_keys(self) -> bool:
        for _ in range(5):
            try:
                bucket = self.base.partition("/")[0]
                await self.file_system.send("list_objects_v2", Bucket=bucket, MaxKeys=1)
            except Exception:  # noqa: BLE001, S112 - any error means no response
                continue
            return True
        return False


def _compare(
    file: ListedFile, content: bytes, etag: str, retries: int
) -> FileContent | Exception:
    """Return the content if it is that of the listed object, or the error.

    The same ETag with another size is a fault of the store. Another ETag can be that of a
    stale replica, or of an object that was replaced after it was listed.
    """
    has_size = len(content) == file.size_bytes
    is_listed = not (file.etag and etag) or file.etag == etag
    if has_size and is_listed:
        return FileContent(content, etag, retries)
    if is_listed:
        return PhotoError(
            f"cannot be read: the store does not deliver the listed {file.size_bytes} "
            "bytes; the next run reads it again"
        )
    if retries + 1 < MAX_READS_OF_CHANGED:
        return PhotoError(CHANGED)
    return FileContent(content if has_size else PhotoError(CHANGED), etag, retries)
