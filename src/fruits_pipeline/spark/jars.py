"""The jars with which Spark speaks S3: where they come from, and that they fit."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyspark

from fruits_pipeline.errors import FruitsError

RESOLVED = ("spark.jars.packages", "spark.jars.excludes")


def with_jars(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Take jars from the folder `FRUITS_JARS`, where it is set, and resolve none.

    Args:
        settings: Spark's own, by name.

    Raises:
        FruitsError: The folder holds no jars.
    """
    folder = os.environ.get("FRUITS_JARS")
    if not folder or RESOLVED[0] not in settings:
        return dict(settings)
    jars = sorted(str(jar) for jar in Path(folder).glob("*.jar"))
    if not jars:
        raise FruitsError(
            f"Found no jars in FRUITS_JARS = {folder}; expected those of `make bundle`. "
            "Set it to their folder, or unset it to resolve them by coordinates."
        )
    kept = {name: value for name, value in settings.items() if name not in RESOLVED}
    return kept | {"spark.jars": ",".join(jars)}


def check_jars(settings: Mapping[str, Any]) -> None:
    """Refuse to write to S3 without hadoop-aws of the version of pyspark's Hadoop.

    Another version shows itself late or never: it may well start and fail in a task.

    Raises:
        FruitsError: It is not there, or of another version.
    """
    named = " ".join(str(settings.get(n, "")) for n in ("spark.jars", RESOLVED[0]))
    match = re.search(r"hadoop-aws[:-](\d[\d.]*\d)", named)
    expected = hadoop_version()
    if not match or match[1] != expected:
        raise FruitsError(
            f"Found {f'hadoop-aws {match[1]}' if match else 'no hadoop-aws'} among "
            f"Spark's jars; expected {expected}, the version of pyspark's Hadoop, for "
            "tables in S3. Run with --env ec2, or mend spark.jars.packages in "
            "conf/<env>/spark.yml or the folder FRUITS_JARS."
        )


def hadoop_version() -> str:
    """Return the version of the Hadoop client that pyspark carries."""
    (jar,) = Path(pyspark.__file__).parent.glob("jars/hadoop-client-api-*.jar")
    return jar.stem.rpartition("-")[2]
