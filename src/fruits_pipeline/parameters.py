"""The parameters of every stage, and what each of them may be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
)

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.imaging.photos import Fit
from fruits_pipeline.lineage import (
    ChangedLocation,
    ChangedRecipe,
    DamagedBatches,
    Recipe,
)

Share = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Extension = Annotated[str, Field(pattern=r"^[a-z0-9]+$")]


def _is_path_rule(rule: str) -> str:
    try:
        groups = set(re.compile(rule).groupindex)
    except re.error as exc:
        raise ValueError(f"not a regular expression: {exc}") from exc
    if "film" in groups:
        raise ValueError("group film was renamed; call it series")
    if unknown := groups - {"label", "split", "series"}:
        raise ValueError(f"groups {sorted(unknown)}, expected label, split or series")
    return rule


class _Stage(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    shaping: ClassVar[tuple[str, ...]] = ()
    """Parameters that shape rows, and so belong to the recipe of tables."""


class IngestParameters(_Stage):
    """Parameters of the stage ingest; see `conf/base/parameters_ingest.yml`."""

    shaping: ClassVar = ("path_rules",)

    photos_per_batch: Annotated[int, Field(ge=1, le=100_000)]
    photos_per_part: Annotated[int, Field(ge=1, le=100_000)]
    part_bytes: Count
    requests_in_flight: Annotated[int, Field(ge=1, le=512)]
    extensions: Annotated[list[Extension], Field(min_length=1)]
    path_rules: list[Annotated[str, AfterValidator(_is_path_rule)]]


class PreprocessParameters(_Stage):
    """Parameters of the stage preprocess; see `conf/base/parameters_preprocess.yml`."""

    shaping: ClassVar = ("short_side", "max_pixels")

    short_side: Annotated[int, Field(ge=16, le=4096)]
    max_pixels: Count
    max_error_rate: Annotated[float, Field(ge=0, le=1)]


class TrainingParameters(_Stage):
    """How a network is trained; see `conf/base/parameters_backbone.yml`."""

    epochs: Annotated[int, Field(ge=0)]
    steps: Count
    photos_per_step: Count
    learning_rate: Annotated[float, Field(gt=0)]
    first_trainable_layer: str | None
    weight_interpolation: Annotated[float, Field(gt=0, le=1)]


class NetworkParameters(_Stage):
    """A network of `keras.applications`; see `conf/base/parameters_backbone.yml`."""

    architecture: str
    arguments: dict[str, Any]
    inner_layers: list[str]
    input_size: Annotated[int, Field(ge=32, le=256)]
    weights: Annotated[str, Field(min_length=1)]


class TeacherParameters(NetworkParameters):
    """The network that a backbone learns from, and how much."""

    weight: Annotated[float, Field(ge=0)]


class TrainingPhotosParameters(_Stage):
    """Which photos are trained on; see `conf/base/parameters_backbone.yml`."""

    splits: list[str]
    held_out_labels: list[str]
    held_out_series: str | None


class BackboneParameters(NetworkParameters):
    """Parameters of the stage backbone; see `conf/base/parameters_backbone.yml`."""

    training: TrainingParameters
    photos: TrainingPhotosParameters
    teacher: TeacherParameters
    checkpoints: Annotated[str, Field(min_length=1)]
    seed: int


class FeaturizeParameters(_Stage):
    """Parameters of the stage featurize; see `conf/base/parameters_featurize.yml`."""

    shaping: ClassVar = ("fit",)

    fit: Fit


class ReduceParameters(_Stage):
    """Parameters of the stage reduce; see `conf/base/parameters_reduce.yml`."""

    shaping: ClassVar = ("variance", "standardise", "max_components")

    variance: Share
    standardise: bool
    max_components: Count | None
    refit: Literal["when needed", "always", "never"]
    refit_margin: Annotated[float, Field(ge=0, le=1)]


class ReportParameters(_Stage):
    """Parameters of the stage report; see `conf/base/parameters_report.yml`."""

    map_photos: Count
    examples_per_label: Annotated[int, Field(ge=1, le=50)]
    rejects_shown: Annotated[int, Field(ge=0, le=500)]


class ClassifyParameters(_Stage):
    """Parameters of the stage classify; see `conf/base/parameters_classify.yml`."""

    training_splits: list[str]
    test_share: Share
    photos_per_label: Count
    mistakes_shown: Annotated[int, Field(ge=0, le=500)]
    seed: int


class SampleParameters(_Stage):
    """Parameters of the stage sample; see `conf/base/parameters_sample.yml`."""

    frames_per_series: Annotated[int, Field(ge=1, le=360)]
    seed: int
    size: Annotated[int, Field(ge=32, le=256)]


class StorageParameters(_Stage):
    """Where data may lie; see `conf/base/parameters_storage.yml`."""

    regions: Annotated[list[str], Field(min_length=1)]


STAGES: Mapping[str, type[_Stage]] = {
    "sample": SampleParameters,
    "ingest": IngestParameters,
    "preprocess": PreprocessParameters,
    "backbone": BackboneParameters,
    "featurize": FeaturizeParameters,
    "reduce": ReduceParameters,
    "report": ReportParameters,
    "classify": ClassifyParameters,
    "storage": StorageParameters,
}

CHOICES: Mapping[str, tuple[str, ...]] = {
    "changed_recipe": get_args(ChangedRecipe),
    "changed_location": get_args(ChangedLocation),
    "damaged_batches": get_args(DamagedBatches),
}
"""What `--params` may choose from, besides the stages: see `globals.yml`."""

RENAMED: Mapping[str, str] = {
    "backbone.training.mixing": "backbone.training.weight_interpolation",
    "backbone.training.first_trained": "backbone.training.first_trainable_layer",
    "backbone.photos.left_out_labels": "backbone.photos.held_out_labels",
    "backbone.photos.left_out_series": "backbone.photos.held_out_series",
    "classify.learned_splits": "classify.training_splits",
}
"""Names of version 0.1 and their replacements; remove in 0.3."""

PLACES = ("photos", "root", "backbone_folder", "event_log", *CHOICES)
"""What `--params` may set besides the stages: see `globals.yml` and `spark.yml`."""


def shaping_values(name: str, value: object) -> Recipe:
    """Return the parameters that shape rows, by dotted name.

    Args:
        name: Name of a stage, or the dotted name of one of its parameters.
        value: Value of the stage, or of the parameter.
    """
    stage, _, parameter = name.partition(".")
    model = STAGES[stage]
    if parameter:
        return {name: value} if parameter in model.shaping else {}
    checked = model.model_validate(value)
    return {f"{stage}.{n}": getattr(checked, n) for n in model.shaping}


def check(parameters: Mapping[str, Any]) -> None:
    """Refuse parameters that no stage knows or that are out of range.

    Args:
        parameters: As the configuration gives them, by stage.

    Raises:
        FruitsError: With one line for each parameter that is wrong.
    """
    wrong = [_unknown(name, (*STAGES, *PLACES)) for name in _strangers(parameters)]
    wrong += [
        f"- {name}: found nothing; expected a folder or URL"
        for name in ("photos", "root", "backbone_folder")
        if not parameters.get(name, "unset")
    ]
    for name, choices in CHOICES.items():
        if (found := parameters.get(name, choices[0])) not in choices:
            wrong.append(f"- {name}: found {found!r}; expected one of {choices}")
    for stage, model in STAGES.items():
        try:
            model.model_validate(parameters.get(stage, {}))
        except ValidationError as exc:
            wrong += [_in_words(stage, model, error) for error in exc.errors()]
    if wrong:
        raise FruitsError("\n".join(["Wrong parameters:", *wrong]))


def _strangers(parameters: Mapping[str, Any]) -> list[str]:
    return [name for name in parameters if name not in (*STAGES, *PLACES)]


def _unknown(name: str, known: tuple[str, ...], prefix: str = "") -> str:
    if new := RENAMED.get(prefix + name):
        return f"- {prefix}{name}: was renamed; set {new} instead"
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {prefix}{near[0]}?" if near else f"expected one of {known}"
    return f"- {prefix}{name}: there is no such parameter; {hint}"


def _in_words(stage: str, model: Any, error: Mapping[str, Any]) -> str:
    name = ".".join(map(str, (stage, *error["loc"])))
    if error["type"] == "extra_forbidden":
        *groups, key = error["loc"]
        for group in groups:
            model = model.model_fields[group].annotation
        prefix = ".".join((stage, *groups, ""))
        return _unknown(key, tuple(model.model_fields), prefix)
    if error["type"] == "missing":
        return f"- {name}: not set; set it in parameters_{stage}.yml"
    return (
        f"- {name}: found {error['input']!r}; {error['msg']}; change it in "
        f"parameters_{stage}.yml or with --params {name}=..."
    )
