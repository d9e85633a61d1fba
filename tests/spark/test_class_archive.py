from pathlib import Path

import pytest

from fruits_pipeline.spark.class_archive import LEAST_MIB, archive_options, cache_folder


@pytest.fixture
def java(tmp_path: Path) -> Path:
    """A Java with an archive of its own classes."""
    for file in ("bin/java", "lib/server/classes.jsa"):
        (tmp_path / "java" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "java" / file).touch()
    return tmp_path / "java/bin/java"


def archive_of(options: str, name: str) -> Path:
    first, *_ = options.split()
    assert first.startswith(f"-XX:{name}=")
    return Path(first.partition("=")[2])


def test_the_first_run_writes_an_archive_and_the_next_reads_it(
    java: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "cache"
    first = archive_options(java, LEAST_MIB, folder)
    archive = archive_of(first, "ArchiveClassesAtExit")
    assert archive.parent == folder
    archive.write_bytes(b"\xa8\xab\x0b\xf0 and so on")
    assert archive_of(archive_options(java, 0, folder), "SharedArchiveFile") == archive


@pytest.mark.parametrize("content", [b"", bytes(100)])
def test_an_archive_that_was_not_finished_is_written_again(
    java: Path, tmp_path: Path, content: bytes
) -> None:
    archive = archive_of(
        archive_options(java, LEAST_MIB, tmp_path), "ArchiveClassesAtExit"
    )
    archive.write_bytes(content)
    again = archive_options(java, LEAST_MIB, tmp_path)
    assert archive_of(again, "ArchiveClassesAtExit") == archive


def test_a_small_machine_writes_none(java: Path, tmp_path: Path) -> None:
    assert archive_options(java, LEAST_MIB - 1, tmp_path) == ""


def test_a_java_without_an_archive_of_its_own_writes_none(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/java").touch()
    assert archive_options(tmp_path / "bin/java", LEAST_MIB, tmp_path) == ""


def test_a_folder_that_cannot_be_made_is_done_without(
    java: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    assert archive_options(java, LEAST_MIB, tmp_path / "file/cache") == ""


def test_another_java_has_another_archive(java: Path, tmp_path: Path) -> None:
    other = java.parents[2] / "other"
    java.parents[1].rename(other)
    moved = archive_options(other / "bin/java", LEAST_MIB, tmp_path)
    other.rename(java.parents[1])
    assert moved != archive_options(java, LEAST_MIB, tmp_path)


def test_archives_lie_in_the_cache_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/a/cache")
    assert cache_folder() == Path("/a/cache/fruits-pipeline")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/a/home")
    assert cache_folder() == Path("/a/home/.cache/fruits-pipeline")
