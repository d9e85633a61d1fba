"""Start the JVM of Spark, and pass options to it."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from py4j.clientserver import FinalizerWorker
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkRuntimeError

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.spark.folders import has_passwd_entry, temporary_folder
from fruits_pipeline.spark.run_folders import run_folder, temporary_files_in


def quote_options(options: Iterable[str]) -> str:
    """Return JVM options as one string, which Spark splits into the same options.

    Spark splits at spaces outside of double quotes; a backslash escapes a character.
    """
    escaped = (o.replace("\\", "\\\\").replace('"', '\\"') for o in options)
    return " ".join(f'"{option}"' for option in escaped)


def check_user(settings: Mapping[str, Any]) -> None:
    """Raise if Spark needs an entry of this user in the password database.

    To load jars, Hadoop looks the user up before `start_jvm` can name them.

    Raises:
        FruitsError: The settings contain jars, and this user has no entry.
    """
    if not has_passwd_entry() and any(n.startswith("spark.jars") for n in settings):
        raise FruitsError(
            f"Found that the user ID {os.getuid()} has no entry in /etc/passwd; expected "
            "one, because Spark loads jars (for S3). Add an entry, or run as another user."
        )


def is_of_concern(record: logging.LogRecord) -> bool:
    """Return whether a log record is not an error of Py4J's thread that frees objects.

    If the JVM closes the connection of this thread, it opens another one, and the JVM
    keeps one object for longer. Py4J logs a traceback nevertheless.
    """
    is_freeing = isinstance(threading.current_thread(), FinalizerWorker)
    return not (is_freeing and record.module == "java_gateway")


def start_jvm(conf: SparkConf) -> None:
    """Start the JVM, if this process has none.

    Hadoop refuses users without an entry in the password database, as in containers with
    an arbitrary user ID. They get a name that is derived from the ID.

    Raises:
        FruitsError: Java exits before it accepts a connection.
    """
    logging.getLogger().addFilter(is_of_concern)  # Py4J logs errors to the root logger
    try:
        with temporary_files_in(run_folder(temporary_folder())):
            SparkContext._ensure_initialized(conf=conf)
    except PySparkRuntimeError as exc:
        raise FruitsError(
            "Found that Java exited while it started Spark; expected it to run. Its "
            "messages above state the reason. Check JAVA_HOME, the available memory, and "
            "spark.driver.extraJavaOptions in conf/<env>/spark.yml."
        ) from exc
    if not has_passwd_entry():
        jvm: Any = SparkContext._jvm
        users = jvm.org.apache.hadoop.security.UserGroupInformation
        users.setLoginUser(users.createRemoteUser(f"uid-{os.getuid()}"))
