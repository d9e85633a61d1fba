import logging
import subprocess
import sys
from pathlib import Path

import pyspark
import pytest

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.spark.host import check_spark_home, replace_leftovers

SPARK_HOME = str(Path(pyspark.__file__).parent)
LEFTOVERS = {
    "HADOOP_CONF_DIR": "/etc/hadoop",
    "PYSPARK_PYTHON": "/usr/bin/python2",
    "PYSPARK_SUBMIT_ARGS": "--master yarn pyspark-shell",
    "SPARK_HOME": "/opt/spark",
    "YARN_CONF_DIR": "/etc/hadoop",
    "_JAVA_OPTIONS": "-Xmx8m",
}


def test_variables_of_other_installations_are_replaced(
    caplog: pytest.LogCaptureFixture,
) -> None:
    environ = {**LEFTOVERS, "SPARK_MASTER": "spark://host:7077", "PATH": "/usr/bin"}
    with caplog.at_level(logging.WARNING):
        assert replace_leftovers(environ) == sorted(LEFTOVERS)
    assert ", ".join(sorted(LEFTOVERS)) in caplog.text
    assert environ == {
        "PATH": "/usr/bin",
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_HOME": SPARK_HOME,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_MASTER": "spark://host:7077",
    }


def test_own_variables_are_not_reported(caplog: pytest.LogCaptureFixture) -> None:
    environ: dict[str, str] = {}
    replace_leftovers(environ)
    with caplog.at_level(logging.WARNING):
        assert replace_leftovers(environ) == []
    assert not caplog.text


@pytest.mark.parametrize("environ", [{}, {"SPARK_HOME": SPARK_HOME}])
def test_spark_home_with_the_version_of_pyspark_is_accepted(
    environ: dict[str, str],
) -> None:
    check_spark_home(environ)


@pytest.mark.parametrize("jar", [None, "spark-core_2.13-3.5.0.jar"])
def test_spark_home_with_another_version_is_refused(
    tmp_path: Path, jar: str | None
) -> None:
    if jar:
        (tmp_path / "jars").mkdir()
        (tmp_path / "jars" / jar).touch()
    with pytest.raises(FruitsError, match=f"without Spark {pyspark.__version__}"):
        check_spark_home({"SPARK_HOME": str(tmp_path)})


PRINT_LIMITS = (
    "import resource; from fruits_pipeline.spark.host import raise_limits;"
    "raise_limits(); print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
)
PRINT_LOCALE = (
    "import os; from fruits_pipeline.spark.host import use_utf8;"
    "use_utf8(); print(os.environ.get('LC_ALL'))"
)


def run_in_shell(commands: str, program: str) -> str:
    """Run a Python program after shell commands, and return the last line of output."""
    done = subprocess.run(
        ["bash", "-c", f'{commands}; exec "$0" -c "$1"', sys.executable, program],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    return (done.stderr + done.stdout).strip().splitlines()[-1]


def test_soft_limits_are_raised() -> None:
    assert run_in_shell("ulimit -Sn 256; ulimit -Sv 6000000", PRINT_LIMITS) == "4096"


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("ulimit -n 600", "600"),
        ("ulimit -n 400", "Found a limit of 400 open files; expected at least 512"),
        ("ulimit -v 6000000", "Found a limit of 5859 MiB of address space; expected"),
    ],
)
def test_low_hard_limits_are_refused(limit: str, expected: str) -> None:
    assert expected in run_in_shell(limit, PRINT_LIMITS)


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        ("export LC_ALL=C", "C.UTF-8"),
        ("export LC_ALL=xx_YY.UTF-8", "C.UTF-8"),
        ("export LC_ALL=C.UTF-8", "C.UTF-8"),
        ("unset LC_ALL LC_CTYPE LANG", "None"),  # Python sets LC_CTYPE
        ("export LC_ALL=C PYTHONUTF8=0", "encodes file names as ascii; expected utf-8"),
    ],
)
def test_locale_becomes_utf8(commands: str, expected: str) -> None:
    assert expected in run_in_shell(commands, PRINT_LOCALE)
