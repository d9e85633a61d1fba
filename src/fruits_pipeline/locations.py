"""Locations in configuration files: the resolver `${location:SETTING,VALUE}`."""

from __future__ import annotations

import os
import re

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.redaction import redact

LOCATIONS = ("photos", "root", "backbone_folder")
"""Settings whose value is a path or URL."""


def read_location(setting: str, value: object) -> str:
    """Return a path or URL of S3, with `~` expanded, and without trailing slashes.

    Args:
        setting: One of `LOCATIONS`, for messages.
        value: Value of the setting.

    Raises:
        FruitsError: The value is missing or not text, or its home folder is unknown.
    """
    if problem := location_problem(value):
        raise FruitsError(f"Wrong setting {setting}: {problem}")
    location = os.path.expanduser(str(value))  # noqa: PTH111 - Path changes URLs
    if location.startswith("~"):
        raise FruitsError(
            f"Wrong setting {setting}: found {value}, but no home folder of this user; expected a "
            f"folder or URL. Write the absolute path, or ./{value} if ~ belongs to the name"
        )
    if location.startswith("file:/"):
        location = "/" + location.removeprefix("file:").lstrip("/")
    return re.sub("(?<=[^:/])/+$", "", location)


def location_problem(value: object) -> str | None:
    """Return what is wrong with a location; None if nothing is.

    YAML and Kedro convert names such as 2024 and true to numbers and Booleans, from which
    the name cannot be restored: 007 becomes 7.
    """
    if value is None or value == "":
        return "found nothing; expected a folder or URL"
    if not isinstance(value, str):
        kind = type(value).__name__
        return (
            f"found {value!r} ({kind}); expected text. Write a name that looks like a "
            "number or keyword with ./ before it, such as ./2024"
        )
    is_url = re.match("[A-Za-z][A-Za-z0-9+.-]*://", value)
    if is_url and re.match("[^/]*//[^/]*@", value):
        return (
            f"found credentials in the URL {redact(value)}; expected s3://bucket/prefix. "
            "Provide credentials by a role, a profile or environment variables of AWS"
        )
    if is_url and not re.match("file://|s3://[^/]", value):
        return (
            f"found {value}; expected a folder or s3://bucket/prefix. Write s3:// instead of "
            "s3a://; copy photos of other stores to a folder or to S3"
        )
    return None
