"""Publish the numbers of the last run as CloudWatch metrics, on the server.

The dimension is the stack, so that its alarms find them; see `template.yaml`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import fsspec
from botocore.config import Config
from botocore.session import Session

NAMESPACE = "fruits-pipeline"
"""The only namespace in which the role of the server may publish."""

CONFIG = Config(connect_timeout=10, read_timeout=10, retries={"max_attempts": 2})
"""Without internet access and endpoints, requests would take minutes to fail."""


def metric_data(summary: Mapping[str, Any], stack: str) -> list[dict[str, Any]]:
    """Return the metrics of a successful run, as `put_metric_data` expects them.

    Args:
        summary: Contents of `run_summary.json`.
        stack: Name of the stack.
    """
    photos, rejected = summary["photos"], summary["rejected"]
    values = {
        "Success": (1, "Count"),
        "Photos": (photos, "Count"),
        "NewPhotos": (summary["new_photos"], "Count"),
        "Rejected": (rejected, "Count"),
        "RejectedPercent": (100 * rejected / max(photos, 1), "Percent"),
        "Seconds": (sum(summary["seconds"].values()), "Seconds"),
    }
    usd = summary["cost"]["total_usd"]
    if usd is not None:  # there is no price of some instance types and regions
        values["CostUsd"] = (usd, "None")
    dimensions = [{"Name": "Stack", "Value": stack}]
    return [
        {"MetricName": name, "Dimensions": dimensions, "Value": value, "Unit": unit}
        for name, (value, unit) in values.items()
    ]


def main() -> None:
    """Publish the metrics of the run whose summary is in the bucket."""
    root = (
        f"s3://{os.environ['FRUITS_BUCKET']}/{os.environ.get('FRUITS_PREFIX', '')}data"
    )
    with fsspec.open(f"{root}/08_reporting/run_summary.json") as file:
        summary = json.load(file)
    client = Session().create_client(
        "cloudwatch", os.environ["AWS_REGION"], config=CONFIG
    )
    client.put_metric_data(
        Namespace=NAMESPACE, MetricData=metric_data(summary, os.environ["STACK"])
    )


if __name__ == "__main__":
    main()
