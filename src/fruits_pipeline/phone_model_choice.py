"""Choose the phone model of `kedro predict`."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

from fruits_pipeline.datasets import PhoneModelFile
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.files import resolve
from fruits_pipeline.models.phone_models import PhoneModel
from fruits_pipeline.session_options import Options

SHIPPED_MODEL = "data/06_models/default/phone_model.tflite"
"""Path of the phone model that the project ships, relative to the backbone's project."""


def choose_model(path: str | None, options: Options) -> tuple[PhoneModel, str]:
    """Return the phone model to classify photos with, and its description.

    The shipped model is used only if nobody has chosen a root, so that a root without a
    classifier is not mistaken for one.

    Args:
        path: Path or URL of a phone model; None for that of the root.
        options: Options of the command.

    Raises:
        FruitsError: There is no phone model, or it is damaged.
    """
    if path:
        return _load(PhoneModelFile(filepath=path))
    (dataset,) = options.datasets("phone_model")
    is_chosen = "root" in options.params or options.env or os.environ.get("KEDRO_ENV")
    if is_chosen or dataset.exists():
        return _load(dataset)
    shipped = _find_shipped(dataset)
    model, folder = shipped.load(), str(Path(dataset.filepath).parents[1])
    return model, (
        f"{shipped.filepath} ({len(model.labels)} labels), which the project ships; used "
        f"because nothing was classified in {folder} yet"
    )


def _find_shipped(classified: PhoneModelFile) -> PhoneModelFile:
    """Return the shipped phone model.

    Raises:
        FruitsError: It is missing, for example in an installed package.
    """
    from kedro.utils import find_kedro_project

    project = find_kedro_project(Path.cwd()) or Path.cwd()
    shipped = PhoneModelFile(filepath=str(project / SHIPPED_MODEL))
    if not shipped.exists():
        raise FruitsError(
            f"Found no phone model in {classified.filepath}, and none that the project "
            f"ships in {shipped.filepath}; expected one of them. Create the first with "
            "`kedro run` and `kedro run --pipelines classify`, choose another root with "
            "--params root=..., or another file with --model."
        )
    return shipped


def _load(dataset: PhoneModelFile) -> tuple[PhoneModel, str]:
    model = dataset.load()
    details = f"{len(model.labels)} labels, written {_date(dataset)}"
    return model, f"{dataset.filepath} ({details})"


def _date(dataset: PhoneModelFile) -> str:
    """Return when the file was written, in local time."""
    file_system, path = resolve(dataset.filepath)
    info: dict[str, Any] = file_system.info(path)
    written = info.get("LastModified") or datetime.fromtimestamp(info.get("mtime", 0))
    return f"{written.astimezone():%Y-%m-%d %H:%M}"
