"""Validate the parameters of a run and describe every error in one line."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import AfterValidator, ValidationError, create_model
from pydantic_core import ErrorDetails, PydanticCustomError

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.lease.held import ConcurrentRun
from fruits_pipeline.lineage import ChangedLocation, ChangedRecipe, RemovedContent
from fruits_pipeline.locations import location_problem
from fruits_pipeline.logs import LogFormat
from fruits_pipeline.parameter_messages import expectation
from fruits_pipeline.parameters import STAGES, ParameterGroup

RENAMED: Mapping[str, str] = {
    "backbone.training.mixing": "backbone.training.weight_interpolation",
    "backbone.training.first_trained": "backbone.training.first_trainable_layer",
    "backbone.photos.left_out_labels": "backbone.photos.held_out_labels",
    "backbone.photos.left_out_series": "backbone.photos.held_out_series",
    "classify.learned_splits": "classify.training_splits",
    "preprocess.max_pixels": "preprocess.decode_memory_mib",
}
"""Parameter names of versions 0.1 and 0.2 and their replacements; remove in 0.4."""


def _check_location(location: object) -> object:
    if problem := location_problem(location):
        raise PydanticCustomError("location", "{problem}", {"problem": problem})
    return location


def _check_manifest(location: object) -> object:
    return location if location is None else _check_location(location)


Location = Annotated[Any, AfterValidator(_check_location)]
Manifest = Annotated[Any, AfterValidator(_check_manifest)]


class RunSettings(ParameterGroup):
    """Settings of `globals.yml` and `spark.yml` that `--params` can override."""

    photos: Location = None
    inventory: Manifest = None
    root: Location = None
    backbone_folder: Location = None
    event_log: bool | None = None
    changed_recipe: ChangedRecipe = "refuse"
    changed_location: ChangedLocation = "refuse"
    removed_content: RemovedContent = "keep"
    concurrent_run: ConcurrentRun = "refuse"
    log_format: LogFormat = "text"


_fields: dict[str, Any] = {stage: (model, ...) for stage, model in STAGES.items()}
_RunParameters = create_model("_RunParameters", __base__=RunSettings, **_fields)


def validate_parameters(
    parameters: Mapping[str, Any], settings: Mapping[str, Any] = MappingProxyType({})
) -> None:
    """Raise if a parameter or setting is missing, unknown or out of range.

    Args:
        parameters: Parameters by stage, and any `RunSettings` set by `--params`.
        settings: Content of `globals.yml`, which `parameters` override.

    Raises:
        FruitsError: With one line for each wrong parameter.
    """
    # An absent stage counts as empty, so that each of its parameters is reported.
    found = dict.fromkeys(STAGES, {}) | _known_settings(settings) | dict(parameters)
    try:
        _RunParameters.model_validate(found)
    except ValidationError as exc:
        errors = exc.errors()
        # A renamed parameter is reported under its old name, and not also as missing.
        replacements = {RENAMED.get(_dotted_name(error)) for error in errors}
        lines = [
            _message(error)
            for error in errors
            if error["type"] != "missing" or _dotted_name(error) not in replacements
        ]
        raise FruitsError("\n".join(["Wrong parameters:", *lines])) from exc


def _known_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of this project, and those that are named almost like them.

    Other settings in `globals.yml` can belong to catalog entries of the user.
    """
    known = RunSettings.model_fields
    return {
        name: value
        for name, value in settings.items()
        if get_close_matches(name, known, n=1, cutoff=0.8)
    }


def _dotted_name(error: ErrorDetails) -> str:
    return ".".join(map(str, error["loc"]))


def _message(error: ErrorDetails) -> str:
    name, stage = _dotted_name(error), error["loc"][0]
    file = f"parameters_{stage}.yml" if stage in STAGES else "globals.yml"
    match error["type"]:
        case "extra_forbidden":
            return f"- {name}: {_explain_unknown(*error['loc'])}"
        case "missing":
            return f"- {name}: not set; set it in {file}"
        case "location" | "conflict":
            return f"- {name}: {error['msg']}"
    found = f"found {error['input']!r}; expected {expectation(error)}"
    return f"- {name}: {found}; change it in {file} or with --params {name}=..."


def _explain_unknown(*location: Any) -> str:
    """Return the new name of a renamed parameter, or else the most similar name."""
    *groups, last = location
    if last == "damaged_batches":
        return "was removed; repair damaged tables with `make mend`"
    if new := RENAMED.get(".".join(location)):
        return f"was replaced; set {new} instead"
    model: Any = _RunParameters
    for group in groups:
        model = model.model_fields[group].annotation
    known = tuple(model.model_fields)
    similar = get_close_matches(last, known, n=1)
    hint = f"expected one of {known}"
    if similar:
        hint = f"did you mean {'.'.join([*groups, *similar])}?"
    return f"there is no such parameter; {hint}"
