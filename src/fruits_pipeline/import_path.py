"""Ignore other installations of Spark in `PYTHONPATH`."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path


def remove_other_spark() -> None:
    """Remove folders with PySpark or Py4J from `PYTHONPATH`, if they are installed.

    A shell profile for another version of Spark adds them. This must be called before
    PySpark is imported. spark-submit sets the variable itself, and is left alone.
    """
    entries = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    installed = Path(sysconfig.get_path("purelib"), "pyspark").is_dir()
    if "pyspark" in sys.modules or "PYSPARK_GATEWAY_PORT" in os.environ:
        return
    if not installed or not (other := [e for e in entries if _contains_spark(e)]):
        return
    os.environ["PYTHONPATH"] = os.pathsep.join(e for e in entries if e not in other)
    paths = {os.path.abspath(entry) for entry in other}
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) not in paths]


def _contains_spark(entry: str) -> bool:
    folder = Path(entry)
    is_py4j = folder.name.startswith("py4j-") and folder.suffix == ".zip"
    return is_py4j or bool(entry) and (folder / "pyspark" / "__init__.py").is_file()
