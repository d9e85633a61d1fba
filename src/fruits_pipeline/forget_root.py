"""The datasets below a root, and the stages that compute its models and reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click
from kedro.io import DataCatalog
from kedro.runner import SequentialRunner

from fruits_pipeline.datasets import DeltaBatches
from fruits_pipeline.datasets.erasure.erasing import Tables
from fruits_pipeline.hooks.report import STATES
from fruits_pipeline.io.forgotten import ForgottenPhotos
from fruits_pipeline.io.listing import ListedFile
from fruits_pipeline.io.search_terms import SearchTerms
from fruits_pipeline.pipelines import (
    check,
    classify,
    featurize,
    preprocess,
    reduce,
    report,
)
from fruits_pipeline.schemas import TABLES
from fruits_pipeline.session_options import Options

STAGES = {
    "preprocess": preprocess,
    "featurize": featurize,
    "reduce": reduce,
    "report": report,
    "classify": classify,
    "check": check,
}
"""Stages whose models and reports are deleted. All but `check` compute them again."""

WRITTEN_BY_HOOKS = {"report": {"report_page"}}
"""Reports of a stage that are no outputs of its nodes."""

OLD_SHEET = "mistake_sheet.png"
"""Report with photos that the stage classify of version 0.2 has written."""


@dataclass(frozen=True)
class Root:
    """Datasets below a root.

    Attributes:
        catalog: All datasets.
        location: Path or URL of the root.
        photo_root: Path or URL of the photo root.
        results: Paths or URLs of the models and reports of each stage.
        waits: Whether to wait while another run writes below the root.
    """

    catalog: DataCatalog
    location: str
    photo_root: str
    results: Mapping[str, Sequence[str]]
    waits: bool

    @property
    def tables(self) -> Tables:
        """The six tables by name."""
        tables: Any = {name: self.catalog.get(f"{name}@batches") for name in TABLES}
        return dict[str, DeltaBatches](tables)

    @property
    def forgotten(self) -> ForgottenPhotos:
        """The stored list of erased photos."""
        photos: ForgottenPhotos = self.catalog.load("forgotten")
        return photos

    def list_files(self) -> Iterable[ListedFile]:
        """Return the files below the photo root."""
        files: Iterable[ListedFile] = self.catalog.load("photo_store").files
        return files

    @property
    def search_terms(self) -> SearchTerms | None:
        """What an interrupted erasure searches for; None if there is no file."""
        terms: SearchTerms | None = self.catalog.load("search_terms")
        return terms


def open_root(options: Options) -> Root:
    """Check the configuration, and return the datasets."""
    with options.session() as session:
        context = session.load_context()
        entries = context.config_loader["catalog"]
        catalog = context.catalog
        settings = {**context.config_loader["globals"], **options.params}
    results = {
        stage: [
            entries[name]["filepath"]
            for name in sorted(
                module.create_pipeline().all_outputs()
                | WRITTEN_BY_HOOKS.get(stage, set())
            )
            if "filepath" in entries.get(name, {}) and "@" not in name
        ]
        for stage, module in STAGES.items()
    }
    digests = entries[STATES]["filepath"]
    results["report"].append(digests)  # not of a node
    results["classify"].append(f"{digests.rpartition('/')[0]}/{OLD_SHEET}")
    photos: Any = catalog.get("photo_store")
    waits = settings.get("concurrent_run") == "wait"
    return Root(catalog, photos.root, photos.filepath, results, waits)


def compute_again(root: Root, options: Options) -> tuple[Sequence[str], str]:
    """Compute the deleted models and reports.

    Returns:
        The stages that were computed, and the error of the first other stage.
    """
    done: list[str] = []
    unfinished = root.forgotten.unfinished
    for names in _groups(unfinished.stages if unfinished else ()):
        try:
            with options.session() as session:
                session.run(pipeline_names=names, runner=SequentialRunner())
        except click.ClickException as exc:
            return done, exc.message
        done += names
    return done, ""


def _groups(stages: Sequence[str]) -> list[list[str]]:
    """Return the stages of each run. `classify` runs on its own, as a user runs it."""
    first = [stage for stage in stages if stage not in ("classify", "check")]
    return [group for group in (first, ["classify"]) if {*group} & {*stages}]
