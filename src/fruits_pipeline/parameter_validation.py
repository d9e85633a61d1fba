"""Validate the parameters of a run and describe every error in one line."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import AfterValidator, ValidationError, create_model
from pydantic_core import ErrorDetails, PydanticCustomError

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.lease.held import ConcurrentRun
from fruits_pipeline.lineage import ChangedLocation, ChangedRecipe
from fruits_pipeline.locations import location_problem
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


Location = Annotated[Any, AfterValidator(_check_location)]


class RunSettings(ParameterGroup):
    """Settings of `globals.yml` and `spark.yml` that `--params` can override."""

    photos: Location = None
    root: Location = None
    backbone_folder: Location = None
    event_log: Any = None
    changed_recipe: ChangedRecipe = "refuse"
    changed_location: ChangedLocation = "refuse"
    concurrent_run: ConcurrentRun = "refuse"


_fields: dict[str, Any] = {stage: (model, ...) for stage, model in STAGES.items()}
_RunParameters = create_model("_RunParameters", __base__=RunSettings, **_fields)


def validate_parameters(parameters: Mapping[str, Any]) -> None:
    """Raise if a parameter is missing, unknown or out of range.

    Args:
        parameters: Parameters by stage, and any `RunSettings` set by `--params`.

    Raises:
        FruitsError: With one line for each wrong parameter.
    """
    try:
        # An absent stage counts as empty, so that each of its parameters is reported.
        _RunParameters.model_validate(dict.fromkeys(STAGES, {}) | dict(parameters))
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
        case "location":
            return f"- {name}: {error['msg']}"
        case "literal_error":
            expected = f"expected {error['ctx']['expected']}"
        case _:
            expected = error["msg"].removeprefix("Value error, ")
    found = f"found {error['input']!r}; {expected}"
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
