"""Project settings: https://docs.kedro.org/en/stable/configure/."""

from fruits_pipeline.config_loader import ConfigLoader
from fruits_pipeline.environment import read_variable
from fruits_pipeline.hooks.errors import ErrorHooks
from fruits_pipeline.hooks.lease import LeaseHooks
from fruits_pipeline.hooks.lineage import LineageHooks
from fruits_pipeline.hooks.listing import ListingHooks
from fruits_pipeline.hooks.report import ReportHooks
from fruits_pipeline.hooks.selection import SelectionHooks
from fruits_pipeline.hooks.spark import SparkHooks
from fruits_pipeline.hooks.summary import SummaryHooks
from fruits_pipeline.locations import read_location

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

CONFIG_LOADER_CLASS = ConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "config_patterns": {"spark": ["spark*", "spark*/**"]},
    "custom_resolvers": {"variable": read_variable, "location": read_location},
}
