"""Project settings: https://docs.kedro.org/en/stable/configure/."""

from fruits_pipeline import config_loader
from fruits_pipeline.hooks.errors import ErrorHooks
from fruits_pipeline.hooks.lease import LeaseHooks
from fruits_pipeline.hooks.lineage import LineageHooks
from fruits_pipeline.hooks.listing import ListingHooks
from fruits_pipeline.hooks.report import ReportHooks
from fruits_pipeline.hooks.selection import SelectionHooks
from fruits_pipeline.hooks.spark import SparkHooks
from fruits_pipeline.hooks.summary import SummaryHooks

HOOKS = (
    SparkHooks(),
    LeaseHooks(),
    LineageHooks(),
    SelectionHooks(),
    ErrorHooks(),
    ListingHooks(),
    ReportHooks(),
    SummaryHooks(),
)

CONFIG_LOADER_CLASS = config_loader.ConfigLoader
CONFIG_LOADER_ARGS = config_loader.CONFIG_LOADER_ARGS
