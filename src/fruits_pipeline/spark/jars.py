"""The jars with which Spark accesses S3."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fruits_pipeline.environment import SUBMIT_VARIABLE
from fruits_pipeline.errors import FruitsError

MAVEN_SETTINGS = ("spark.jars.packages", "spark.jars.excludes")
"""Settings with Maven coordinates, which Spark downloads when it starts."""

JAR_SETTINGS = (*MAVEN_SETTINGS, "spark.jars")

AWS_SDK = {
    "3.4.1": "2.24.8",
    "3.4.2": "2.29.52",
    "3.4.3": "2.35.4",
    "3.5.0": "2.35.4",
}
"""Version of the AWS SDK by version of Hadoop, from the POM of hadoop-project.

Hadoop 3.4.1 names 2.24.6, of which Maven Central lacks the module s3-transfer-manager.
"""

SDK_MODULES = ("s3", "sts", "apache-client", "s3-transfer-manager")

FILE_SYSTEM = "org.apache.hadoop.fs.s3a.S3AFileSystem"
CLASSES = {
    FILE_SYSTEM: "hadoop-aws",
    "software.amazon.awssdk.services.s3.S3Client": "s3 of the AWS SDK",
    "software.amazon.awssdk.services.sts.StsClient": "sts of the AWS SDK",
    "software.amazon.awssdk.transfer.s3.S3TransferManager": "s3-transfer-manager of the AWS SDK",
}
"""A class of each jar that Spark needs for S3."""


def hadoop_version() -> str | None:
    """Return the version of Hadoop in the installed PySpark.

    Returns:
        None if PySpark has no jars: in an archive, or with a separate Hadoop.
    """
    spec = find_spec("pyspark")  # not imported, which takes long
    folders = spec.submodule_search_locations if spec else None
    jars = [*Path((folders or [""])[0]).glob("jars/hadoop-client-api-*.jar")]
    return jars[0].stem.rpartition("-")[2] if jars else None


def jars_for_s3(hadoop: str | None = None) -> str:
    """Return the Maven coordinates of the jars for S3: the resolver `${jars_for_s3:}`.

    Args:
        hadoop: Version of Hadoop; by default that of the installed PySpark.

    Returns:
        The coordinates, separated by commas. Empty under spark-submit, which has its own
        options for jars.

    Raises:
        FruitsError: The version of Hadoop is not known.
    """
    if SUBMIT_VARIABLE in os.environ and not hadoop:
        return ""
    version = hadoop or hadoop_version()
    if version not in AWS_SDK:
        raise FruitsError(
            f"Found Hadoop {version} in PySpark; expected one of {', '.join(AWS_SDK)}, "
            "whose jars for S3 are known. Install PySpark 4.0 to 4.3, or set "
            "spark.jars.packages in conf/<env>/spark.yml."
        )
    modules = [f"software.amazon.awssdk:{m}:{AWS_SDK[version]}" for m in SDK_MODULES]
    return ",".join([f"org.apache.hadoop:hadoop-aws:{version}", *modules])


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


def check_jars(jvm: Any) -> None:
    """Raise unless Java has the jars for S3, in the version of its Hadoop.

    With hadoop-aws of another version, Spark starts, but fails in a task.

    Args:
        jvm: Java's packages, as an attribute of the Spark context.

    Raises:
        FruitsError: A jar is missing, or has another version.
    """
    hadoop = str(jvm.org.apache.hadoop.util.VersionInfo.getVersion())
    files = {name: _file_of(jvm, name) for name in CLASSES}
    missing = [jar for name, jar in CLASSES.items() if files[name] is None]
    if missing:
        found = f"no {', no '.join(missing)}"
    elif not _has_version(str(files[FILE_SYSTEM]), hadoop):
        found = str(files[FILE_SYSTEM])
    else:
        return
    raise FruitsError(
        f"Found {found} among Spark's jars; expected those of Hadoop {hadoop} for tables "
        f"in S3. {' '.join(_remedies(hadoop))}"
    )


def _remedies(hadoop: str) -> Iterator[str]:
    """Yield what to change, for the way in which Java was started."""
    if SUBMIT_VARIABLE not in os.environ:
        yield (
            "Run with --env ec2 or --env cluster, or correct spark.jars.packages in "
            "conf/<env>/spark.yml or the folder FRUITS_JARS."
        )
        return
    if hadoop in AWS_SDK:
        yield f"Add the option --packages {jars_for_s3(hadoop)} to spark-submit; or the"
    else:
        yield f"Add hadoop-aws {hadoop} and its AWS SDK to spark-submit as the"
    yield "option --jars with their files. docs/clusters.md has the commands."


def _file_of(jvm: Any, name: str) -> str | None:
    """Return the name of the file that contains a class; None if there is no such class."""
    from py4j.protocol import Py4JJavaError

    try:
        found = jvm.org.apache.spark.util.Utils.classForName(name, False, False)
    except Py4JJavaError:
        return None
    source = found.getProtectionDomain().getCodeSource()
    return Path(source.getLocation().getPath()).name


def _has_version(jar: str, version: str) -> bool:
    """Return whether the name of a jar contains a version, or none at all."""
    return version in jar or not any(c.isdigit() for c in jar)
