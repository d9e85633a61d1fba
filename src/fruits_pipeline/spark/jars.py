"""The jars with which Spark accesses S3."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyspark

from fruits_pipeline.errors import FruitsError

MAVEN_SETTINGS = ("spark.jars.packages", "spark.jars.excludes")
"""Settings with Maven coordinates, which Spark downloads when it starts."""


def use_local_jars(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Replace Maven coordinates by the jars in the folder `FRUITS_JARS`, if it is set.

    Raises:
        FruitsError: The folder contains no jars.
    """
    folder = os.environ.get("FRUITS_JARS")
    if not folder or MAVEN_SETTINGS[0] not in settings:
        return dict(settings)
    jars = sorted(str(jar) for jar in Path(folder).glob("*.jar"))
    if not jars:
        raise FruitsError(
            f"Found no jars in FRUITS_JARS = {folder}; expected those of `make bundle`. "
            "Set it to their folder, or unset it to resolve them by coordinates."
        )
    other = {k: v for k, v in settings.items() if k not in MAVEN_SETTINGS}
    return other | {"spark.jars": ",".join(jars)}


def check_hadoop_aws(settings: Mapping[str, Any]) -> None:
    """Raise unless the jars contain hadoop-aws in the version of pyspark's Hadoop.

    With another version, Spark starts, but fails in a task.

    Raises:
        FruitsError: hadoop-aws is missing, or has another version.
    """
    jars = " ".join(str(settings.get(n, "")) for n in ("spark.jars", MAVEN_SETTINGS[0]))
    match = re.search(r"hadoop-aws[:-](\d[\d.]*\d)", jars)
    expected = hadoop_version()
    if not match or match[1] != expected:
        raise FruitsError(
            f"Found {f'hadoop-aws {match[1]}' if match else 'no hadoop-aws'} among "
            f"Spark's jars; expected {expected}, the version of pyspark's Hadoop, for "
            "tables in S3. Run with --env ec2, or correct spark.jars.packages in "
            "conf/<env>/spark.yml or the folder FRUITS_JARS."
        )


def hadoop_version() -> str:
    """Return the version of the Hadoop client in pyspark."""
    (jar,) = Path(pyspark.__file__).parent.glob("jars/hadoop-client-api-*.jar")
    return jar.stem.rpartition("-")[2]
