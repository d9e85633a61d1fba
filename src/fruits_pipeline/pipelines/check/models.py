"""Check models and reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fruits_pipeline.datasets import FittedClassifier, FittedPca, StoredTable
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.models.phone_models import PhoneModel
from fruits_pipeline.pipelines.check.findings import CLASSIFY, MEND, RUN, Finding

REPORTS = {
    "label_counts.csv": MEND,
    "rejects.csv": MEND,
    "variance_curve.json": MEND,
    "photo_map.json": MEND,
    "class_sheet.png": MEND,
    "reject_sheet.png": MEND,
    "exploration.json": MEND,
    "neighbours.parquet": MEND,
    "near_duplicates.csv": MEND,
    "suspect_labels.csv": MEND,
    "outliers.csv": MEND,
    "atlas.csv": MEND,
    "quality_issues.csv": MEND,
    "quality_histograms.json": MEND,
    "coverage.csv": MEND,
    "batch_changes.json": MEND,
    "thumbnails.parquet": MEND,
    "atlas.png": MEND,
    "report.html": MEND,
    "listing_counts.json": RUN,
    "run_summary.json": RUN,
    "report_states.json": RUN,
}
"""Reports of a run, and the command that writes each again."""

CLASSIFY_REPORTS = (
    "answers.parquet",
    "evaluation.json",
    "confusion.json",
    "answer_thumbnails.parquet",
    "wrong_answers.png",
    "refusals.png",
)
"""Reports of the stage classify."""

COMMANDS = {
    **REPORTS,
    "run_history.jsonl": "Delete it; the next run with new photos writes a new one.",
    "training_curves.json": "make backbone",
    **dict.fromkeys(CLASSIFY_REPORTS, CLASSIFY),
}


@dataclass(frozen=True)
class Models:
    """The models of a root: None if there is no file, an error if it is damaged."""

    pca: FittedPca | FruitsError | None
    classifier: FittedClassifier | FruitsError | None
    phone_model: PhoneModel | FruitsError | None
    backbone: Backbone | FruitsError | None

    @property
    def pca_digest(self) -> str | None:
        """Digest of the PCA; None if it is missing or damaged."""
        return self.pca.model.digest if isinstance(self.pca, FittedPca) else None


def check_models(
    models: Models, tables: Mapping[str, StoredTable]
) -> Iterator[Finding]:
    """Check that all models are readable and belong together."""
    repairs = {
        "pca": MEND,
        "classifier": CLASSIFY,
        "phone_model": CLASSIFY,
        "backbone": "Set backbone_folder to an intact copy.",
    }
    for name, repair in repairs.items():
        model = getattr(models, name)
        if isinstance(model, FruitsError):
            yield Finding(name, f"a damaged file ({model})", "a readable file", repair)
    reduced = tables["reduced"]
    if models.pca is None and (reduced.rows or reduced.unlisted()):
        yield Finding("pca", "no file", "the PCA that computed `reduced`", MEND)
    yield from _check_pca(models, tables)
    yield from _check_stale(models)


def _check_pca(models: Models, tables: Mapping[str, StoredTable]) -> Iterator[Finding]:
    features, backbone = tables["features"], models.backbone
    if isinstance(backbone, Backbone):
        used = features.recipe.get("backbone")
        if used not in (None, backbone.card.sha256):
            yield Finding(
                "backbone",
                "another backbone than that of the features",
                "the same backbone",
                "Set backbone_folder to it.",
                False,
            )
        elif isinstance(models.pca, FittedPca) and (
            len(models.pca.model.mean) != backbone.card.width
        ):
            found = f"a PCA of {len(models.pca.model.mean)} features"
            yield Finding("pca", found, f"{backbone.card.width} features", MEND)


def _check_stale(models: Models) -> Iterator[Finding]:
    """Yield information about models that an older PCA or backbone belongs to."""
    pca, expected = models.pca_digest, "a model of this PCA and backbone"
    classifier = models.classifier
    if isinstance(classifier, FittedClassifier) and classifier.pca != (
        pca or classifier.pca
    ):
        found = "a classifier of another PCA"
        yield Finding("classifier", found, expected, CLASSIFY, False)
    if isinstance(models.phone_model, PhoneModel):
        card = models.phone_model.card
        sha256 = (
            models.backbone.card.sha256
            if isinstance(models.backbone, Backbone)
            else None
        )
        if card.pca != (pca or card.pca) or card.backbone != (sha256 or card.backbone):
            found = "a phone model of another PCA or backbone"
            yield Finding("phone_model", found, expected, CLASSIFY, False)


def check_reports(files: Mapping[str, str | None]) -> Iterator[Finding]:
    """Check that the reports are readable, and none of a run is missing.

    Args:
        files: Why each file cannot be read, by name; None for a readable file.
    """
    for name, problem in files.items():
        if problem and name in COMMANDS:
            yield Finding(f"report {name}", problem, "a readable file", COMMANDS[name])
    if not files.keys() & REPORTS.keys() - {"listing_counts.json"}:
        return  # no complete run yet
    for name in sorted(REPORTS.keys() - files.keys()):
        yield Finding(f"report {name}", "no file", "all reports", REPORTS[name])


def check_classify(
    models: Models, files: Mapping[str, str | None]
) -> Iterator[Finding]:
    """Check that all outputs of the stage classify exist, or none.

    Args:
        models: The models of the root.
        files: The reports, by name.
    """
    exists = {
        "classifier": models.classifier is not None,
        "phone_model": models.phone_model is not None,
    }
    exists |= {f"report {name}": name in files for name in CLASSIFY_REPORTS}
    expected = "all models and reports of the stage classify, because some exist"
    if any(exists.values()):
        missing = [name for name in exists if not exists[name]]
        yield from (Finding(name, "no file", expected, CLASSIFY) for name in missing)
