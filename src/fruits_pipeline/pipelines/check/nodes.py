"""Check all files below root, and that every photo is accounted for."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fruits_pipeline.datasets import (
    FittedClassifier,
    FittedPca,
    Listing,
    StoredTable,
)
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.forgotten import ForgottenPhotos
from fruits_pipeline.io.search_terms import SearchTerms
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.models.phone_models import PhoneModel
from fruits_pipeline.parameters import CheckParameters, IngestParameters
from fruits_pipeline.pipelines.check.erasures import check_erasures
from fruits_pipeline.pipelines.check.findings import Finding, Findings
from fruits_pipeline.pipelines.check.models import (
    Models,
    check_classify,
    check_models,
    check_reports,
)
from fruits_pipeline.pipelines.check.relations import (
    check_counts,
    check_keys,
    check_lineage,
    check_photo_store,
)
from fruits_pipeline.pipelines.check.tables import (
    InspectedTable,
    check_table,
    inspect_table,
)
from fruits_pipeline.reporting.theme import count_text
from fruits_pipeline.schemas import UPSTREAM
from fruits_pipeline.spark.inspection import Sample

REPAIRS = (
    "Expected none. Repair them with the commands at the ends of the lines, and the same "
    "ARGS; `make mend` is `kedro run --pipelines mend`."
)

logger = logging.getLogger(__name__)


def inspect_files(table: StoredTable, parameters: CheckParameters) -> InspectedTable:
    """Read all files of a table on Spark's workers."""
    share = 1.0 if parameters.contents else parameters.sample_share
    return inspect_table(table, Sample(share, parameters.seed))


def collect_models(
    pca: FittedPca | FruitsError | None,
    classifier: FittedClassifier | FruitsError | None,
    phone_model: PhoneModel | FruitsError | None,
    backbone: Backbone | FruitsError | None,
) -> Models:
    """Return all models of a root."""
    return Models(pca, classifier, phone_model, backbone)


def check_tables(models: Models, *inspected: InspectedTable) -> Findings:
    """Check each table, and that it belongs to its upstream table and to the PCA."""
    tables = {table.table.name: table for table in inspected}
    stored = {name: table.table for name, table in tables.items()}
    findings = [finding for table in inspected for finding in check_table(table)]
    for name, upstream in UPSTREAM.items():
        findings += check_keys(tables[name], tables[upstream])
        findings += check_lineage(stored[name], stored[upstream], models.pca_digest)
    return [*findings, *check_counts(stored), *check_models(models, stored)]


def compare_photo_root(
    photos: InspectedTable,
    photo_store: Listing | FruitsError,
    forgotten: ForgottenPhotos | FruitsError,
    parameters: IngestParameters,
) -> tuple[dict[str, int], Findings]:
    """Compare the files below the photo root with the table `photos`."""
    known = forgotten if isinstance(forgotten, ForgottenPhotos) else ForgottenPhotos()
    return check_photo_store(photos, photo_store, known, parameters.extensions)


def find_unfinished_erasures(
    forgotten: ForgottenPhotos | FruitsError, terms: SearchTerms | FruitsError | None
) -> Findings:
    """Check that the erasures of photos are complete."""
    return [*check_erasures(forgotten, terms)]


def make_report(
    listing: tuple[dict[str, int], Findings],
    table_findings: Findings,
    erasure_findings: Findings,
    report_files: Mapping[str, str | None],
    models: Models,
    *inspected: InspectedTable,
) -> dict[str, Any]:
    """Return all findings.

    Returns:
        `counts` of files and photos, `findings` (damage) and `notes` (information).
    """
    counts, findings = listing
    files = [*check_reports(report_files), *check_classify(models, report_files)]
    findings = [*erasure_findings, *table_findings, *files, *findings]
    rows = {table.table.name: table.table.rows for table in inspected}
    rejected = sum(t.table.errors for t in inspected if t.table.name == "images")
    return {
        "counts": {**counts, **rows, "rejected": rejected},
        "findings": [_as_json(f) for f in findings if f.is_error],
        "notes": [_as_json(f) for f in findings if not f.is_error],
    }


def _as_json(finding: Finding) -> dict[str, str]:
    values = asdict(finding)
    del values["is_error"]
    return values


def raise_findings(check_report: Mapping[str, Any]) -> None:
    """Log the report of a check, and raise if there are findings.

    Raises:
        FruitsError: With one line for each finding.
    """
    for note in check_report["notes"]:
        logger.warning("%s", Finding(**note))
    lines = [str(Finding(**finding)) for finding in check_report["findings"]]
    if lines:
        title = f"Found {count_text(len(lines), 'defect')}:"
        raise FruitsError("\n".join([title, *lines, REPAIRS]))
    logger.info("Found no damage: %s", check_report["counts"])
