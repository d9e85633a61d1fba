import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fake_s3 import Bucket

from fruits_pipeline.io.conditional import (
    ChangedFileError,
    StoredFile,
    delete_stored,
    read_stored,
    replace_stored,
)

COMPETITOR = """
import sys
from fruits_pipeline.io.conditional import *
path, number = sys.argv[1:]
old = read_stored(path)
print(flush=True)
sys.stdin.read()  # until all processes have read the file
try:
    replace_stored(path, number.encode(), old)
    print(number, end="")
except ChangedFileError:
    pass
"""


@pytest.fixture(params=["local", "s3"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the path of a missing file in a missing folder, or of a missing object."""
    if request.param == "local":
        return f"{tmp_path}/a folder/x.json"
    bucket: Bucket = request.getfixturevalue("bucket")
    return f"s3://{bucket.name}/a folder/x.json"


def test_only_the_expected_version_is_replaced_or_deleted(path: str) -> None:
    assert read_stored(path) is None
    first = replace_stored(path, b"1", None)
    assert read_stored(path) == first
    second = replace_stored(path, b"2", first)
    for outdated in (None, first):
        with pytest.raises(ChangedFileError):
            replace_stored(path, b"3", outdated)
    with pytest.raises(ChangedFileError):
        delete_stored(path, first)
    assert read_stored(path) == second
    delete_stored(path, second)
    assert read_stored(path) is None
    with pytest.raises(ChangedFileError):
        replace_stored(path, b"3", second)


@pytest.mark.parametrize("content", [None, b"0"], ids=["create", "replace"])
def test_one_of_several_processes_succeeds(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "x"
    if content:
        file.write_bytes(content)
    competitors = [
        subprocess.Popen(
            [sys.executable, "-c", COMPETITOR, str(file), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number in range(1, 5)
    ]
    for process in competitors:
        assert process.stdout
        process.stdout.readline()
    for process in competitors:
        assert process.stdin
        process.stdin.close()
        process.stdin = None
    succeeded = [process.communicate()[0] for process in competitors]
    assert [number for number in succeeded if number] == [file.read_bytes()]
    assert os.listdir(tmp_path) == ["x"]


def test_leftover_of_a_killed_writer_is_replaced(tmp_path: Path) -> None:
    file, leftover = tmp_path / "x", tmp_path / "x.unfinished"
    leftover.write_bytes(b"a longer content")
    replace_stored(str(file), b"new", None)
    assert (file.read_bytes(), leftover.exists()) == (b"new", False)


def test_file_that_another_process_is_replacing_counts_as_changed(
    tmp_path: Path,
) -> None:
    with open(tmp_path / "x.unfinished", "wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(ChangedFileError):
            replace_stored(str(tmp_path / "x"), b"new", None)


def test_repeated_request_is_not_a_conflict(bucket: Bucket) -> None:
    path = f"s3://{bucket.name}/x"
    bucket.put({"x": b"new"})  # the response to this request was lost
    stored = replace_stored(path, b"new", None)
    assert stored == read_stored(path)
    assert isinstance(stored, StoredFile)
