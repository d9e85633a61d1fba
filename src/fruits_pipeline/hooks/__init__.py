"""Kedro hooks: Spark session, lineage, error messages, skipped reports and run summary."""

from fruits_pipeline.hooks.errors import ErrorHooks
from fruits_pipeline.hooks.lineage import LineageHooks
from fruits_pipeline.hooks.report import ReportHooks
from fruits_pipeline.hooks.spark import SparkHooks
from fruits_pipeline.hooks.summary import SummaryHooks

__all__ = ["ErrorHooks", "LineageHooks", "ReportHooks", "SparkHooks", "SummaryHooks"]
