"""Prepare this process and its environment variables to start Spark on this machine.

The settings of the project replace those of other Spark, Hadoop and Java installations,
which users often have in their shell profile.
"""

from __future__ import annotations

import locale
import logging
import os
import resource
import sys
from collections.abc import MutableMapping
from pathlib import Path

import pyspark

from fruits_pipeline.errors import FruitsError

logger = logging.getLogger(__name__)

LEFTOVER_PREFIXES = ("SPARK_", "PYSPARK_", "HADOOP_", "YARN_")
LEFTOVER_JAVA_OPTIONS = ("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS")
OWN_VARIABLES = ("SPARK_MASTER",)
"""Variables of this project that begin like those of Spark; see `environment.py`."""

OPEN_FILES = 4096
"""Wanted limit of open files."""

MIN_OPEN_FILES = 512
"""Required limit of open files: Spark's 280 jars, sockets and data files."""

MIN_ADDRESS_SPACE = 8 * 1024**3
"""Required address space in bytes. Java reserves several times its heap."""


def replace_leftovers(environ: MutableMapping[str, str] = os.environ) -> list[str]:
    """Remove the variables of other installations, and set those of this one.

    Args:
        environ: Environment variables of a process that starts Spark in local mode.

    Returns:
        The sorted names of the removed variables.
    """
    own = {
        "SPARK_HOME": str(Path(pyspark.__file__).parent),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",  # the name of this machine may not resolve
    }
    removed = [
        name
        for name in environ
        if name.startswith(LEFTOVER_PREFIXES) or name in LEFTOVER_JAVA_OPTIONS
        if name not in OWN_VARIABLES
    ]
    removed = sorted(name for name in removed if environ.pop(name) != own.get(name))
    environ.update(own)
    if removed:
        logger.warning(
            "Ignored environment variables of other Spark or Java installations: %s. "
            "Set options in conf/<env>/spark.yml instead.",
            ", ".join(removed),
        )
    return removed


def check_spark_home(environ: MutableMapping[str, str] = os.environ) -> None:
    """Raise if `SPARK_HOME` is another version than this PySpark.

    Raises:
        FruitsError: The folder does not exist, or has another version of Spark.
    """
    home = environ.get("SPARK_HOME")
    pattern = f"jars/spark-core_*-{pyspark.__version__}*.jar"
    if home and not any(Path(home).glob(pattern)):
        raise FruitsError(
            f"Found SPARK_HOME = {home} without Spark {pyspark.__version__}; expected "
            "the version of PySpark. Unset SPARK_HOME, or install this version there."
        )


def use_utf8(environ: MutableMapping[str, str] = os.environ) -> None:
    """Select a UTF-8 locale for Java, if Python uses UTF-8 although the locale does not.

    Raises:
        FruitsError: Python does not use UTF-8 for file names.
    """
    encoding = sys.getfilesystemencoding()
    if encoding.lower() != "utf-8":
        raise FruitsError(
            f"Found that Python encodes file names as {encoding}; expected utf-8. Set "
            "LC_ALL=C.UTF-8, and unset PYTHONUTF8 and PYTHONCOERCECLOCALE."
        )
    if locale.nl_langinfo(locale.CODESET).upper() in ("UTF-8", "UTF8"):
        return
    for name in ("C.UTF-8", "en_US.UTF-8"):
        try:
            locale.setlocale(locale.LC_CTYPE, name)
        except locale.Error:
            continue
        environ["LC_ALL"] = name
        return


def raise_limits() -> None:
    """Raise the resource limits of this process, which Java inherits, if necessary.

    Raises:
        FruitsError: Open files or address space are limited to less than Spark needs.
    """
    files = _raise_limit(resource.RLIMIT_NOFILE, OPEN_FILES)
    if files < MIN_OPEN_FILES:
        raise FruitsError(
            f"Found a limit of {files} open files; expected at least {MIN_OPEN_FILES} "
            "for Spark. Raise it with `ulimit -n` or in /etc/security/limits.conf."
        )
    space = _raise_limit(resource.RLIMIT_AS, MIN_ADDRESS_SPACE)
    if space < MIN_ADDRESS_SPACE:
        raise FruitsError(
            f"Found a limit of {space >> 20} MiB of address space; expected at least "
            f"{MIN_ADDRESS_SPACE >> 20} MiB for Java, which reserves more than it uses. "
            "Remove the limit with `ulimit -v unlimited`."
        )


def _raise_limit(kind: int, wanted: int) -> int:
    """Raise a limit to `wanted`, or as far as permitted, and return the new limit."""
    soft, hard = resource.getrlimit(kind)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    if hard == resource.RLIM_INFINITY or hard >= wanted:
        resource.setrlimit(kind, (wanted, hard))
        return wanted
    try:  # permitted for root
        resource.setrlimit(kind, (wanted, wanted))
    except (ValueError, OSError):
        resource.setrlimit(kind, (hard, hard))
        return hard
    return wanted
