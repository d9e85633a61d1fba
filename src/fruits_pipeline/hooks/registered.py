"""The hooks of this project, in the order in which Kedro registers them."""

from fruits_pipeline.hooks.errors import ErrorHooks
from fruits_pipeline.hooks.lease import LeaseHooks
from fruits_pipeline.hooks.lineage import LineageHooks
from fruits_pipeline.hooks.listing import ListingHooks
from fruits_pipeline.hooks.page import PageHooks
from fruits_pipeline.hooks.report import ReportHooks
from fruits_pipeline.hooks.runs import RunHooks
from fruits_pipeline.hooks.selection import SelectionHooks
from fruits_pipeline.hooks.spark import SparkHooks
from fruits_pipeline.hooks.summary import SummaryHooks

HOOKS = (
    RunHooks(),
    SparkHooks(),
    LeaseHooks(),
    LineageHooks(),
    SelectionHooks(),
    ErrorHooks(),
    ListingHooks(),
    ReportHooks(),
    SummaryHooks(),
    PageHooks(),
)
