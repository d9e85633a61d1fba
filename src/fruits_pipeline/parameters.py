"""Models of the parameters, one for each stage.

`conf/base/parameters_<stage>.yml` describes what each parameter does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from fruits_pipeline.imaging.fitting import Fit
from fruits_pipeline.lineage import Recipe

Share = Annotated[float, Field(gt=0, le=1)]
ShareOrZero = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
RANDOM_WEIGHTS = "random"
"""Value of `weights` of a network whose weights are not pretrained."""


def _check_extension(extension: str) -> str:
    if not re.fullmatch("[a-z0-9]+", extension):
        raise ValueError("lower-case letters and digits without a dot, such as jpg")
    return extension


def _check_expression(expression: str) -> str:
    try:
        re.compile(expression)
    except re.error as exc:
        raise ValueError(f"a regular expression ({exc})") from exc
    return expression


def _check_path_rule(rule: str) -> str:
    groups = set(re.compile(rule).groupindex)
    if "film" in groups:
        raise ValueError("the group series, because group film was renamed to series")
    if unknown := groups - {"label", "split", "series"}:
        raise ValueError(f"groups label, split or series, not {sorted(unknown)}")
    return rule


Extension = Annotated[str, AfterValidator(_check_extension)]
Expression = Annotated[str, AfterValidator(_check_expression)]
PathRule = Annotated[Expression, AfterValidator(_check_path_rule)]


class ParameterGroup(BaseModel):
    """A group of parameters: immutable, and without any unknown parameter."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    in_recipe: ClassVar[tuple[str, ...]] = ()
    """Parameters that determine the rows of tables and are part of their recipe."""


class IngestParameters(ParameterGroup):
    """Parameters of the stage ingest; see `conf/base/parameters_ingest.yml`."""

    in_recipe: ClassVar = ("path_rules",)

    photos_per_batch: Annotated[int, Field(ge=1, le=100_000)]
    photos_per_part: Annotated[int, Field(ge=1, le=100_000)]
    part_bytes: Count
    requests_in_flight: Annotated[int, Field(ge=1, le=512)]
    extensions: Annotated[list[Extension], Field(min_length=1)]
    path_rules: list[PathRule]
    gone: Literal["keep", "delete"]
    max_gone_rate: ShareOrZero


class PreprocessParameters(ParameterGroup):
    """Parameters of the stage preprocess; see `conf/base/parameters_preprocess.yml`."""

    in_recipe: ClassVar = ("short_side", "decode_memory_mib", "seconds_per_photo")

    short_side: Annotated[int, Field(ge=16, le=4096)]
    decode_memory_mib: Annotated[int, Field(ge=32, le=65_536)]
    seconds_per_photo: Annotated[float, Field(ge=0.1, le=86_400)]
    max_error_rate: ShareOrZero


class TrainingParameters(ParameterGroup):
    """Parameters of the training of a network, `backbone.training`."""

    epochs: Annotated[int, Field(ge=0)]
    steps: Count
    photos_per_step: Count
    learning_rate: Annotated[float, Field(gt=0)]
    first_trainable_layer: str | None
    weight_interpolation: Share


class NetworkParameters(ParameterGroup):
    """Parameters of a network of `keras.applications`."""

    architecture: str
    arguments: dict[str, Any]
    inner_layers: list[str]
    input_size: Annotated[int, Field(ge=32, le=256)]
    weights: Annotated[str, Field(min_length=1)]


class TeacherParameters(NetworkParameters):
    """Parameters of knowledge distillation, `backbone.teacher`."""

    weight: Annotated[float, Field(ge=0)]


class TrainingPhotosParameters(ParameterGroup):
    """Selection of the training photos, `backbone.photos`."""

    splits: list[str]
    held_out_labels: list[str]
    held_out_series: Expression | None


class BackboneParameters(NetworkParameters):
    """Parameters of the stage backbone; see `conf/base/parameters_backbone.yml`."""

    training: TrainingParameters
    photos: TrainingPhotosParameters
    teacher: TeacherParameters
    checkpoints: Annotated[str, Field(min_length=1)]
    seed: int

    @field_validator("training")
    @classmethod
    def _check_weights(
        cls, training: TrainingParameters, info: ValidationInfo
    ) -> TrainingParameters:
        if info.data.get("weights") == RANDOM_WEIGHTS and not training.epochs:
            raise PydanticCustomError(
                "conflict",
                "found epochs 0 and backbone.weights random; expected training or "
                "pretrained weights. Set backbone.training.epochs to more than 0, or "
                "backbone.weights to imagenet or a weights file",
            )
        return training


class FeaturizeParameters(ParameterGroup):
    """Parameters of the stage featurize; see `conf/base/parameters_featurize.yml`."""

    in_recipe: ClassVar = ("fit",)

    fit: Fit


class ReduceParameters(ParameterGroup):
    """Parameters of the stage reduce; see `conf/base/parameters_reduce.yml`."""

    in_recipe: ClassVar = ("variance", "standardise", "max_components")

    variance: Share
    standardise: bool
    max_components: Count | None
    refit: Literal["when needed", "always", "never"]
    refit_margin: ShareOrZero


class QualityLimits(ParameterGroup):
    """Limits of quality issues, `report.quality`; each is named like its issue."""

    dark: ShareOrZero
    bright: ShareOrZero
    low_contrast: ShareOrZero
    blurred: Annotated[float, Field(ge=0)]
    grey: ShareOrZero
    tiny: Annotated[int, Field(ge=0)]
    odd_aspect: Annotated[float, Field(ge=1)]


class ReportParameters(ParameterGroup):
    """Parameters of the stage report; see `conf/base/parameters_report.yml`."""

    sample_photos: Annotated[int, Field(ge=100, le=10_000_000)]
    map_photos: Annotated[int, Field(ge=1, le=100_000)]
    examples_per_label: Annotated[int, Field(ge=1, le=50)]
    rejects_shown: Annotated[int, Field(ge=0, le=500)]
    explore: Literal["auto", True, False]
    explored_photos: Annotated[int, Field(ge=1, le=200_000)]
    neighbours: Annotated[int, Field(ge=3, le=100)]
    duplicate_similarity: Annotated[float, Field(gt=0, le=1)]
    leakage_similarity: Annotated[float, Field(gt=0, le=1)]
    outlier_distance: Annotated[float, Field(ge=1)]
    rows_listed: Annotated[int, Field(ge=1, le=100_000)]
    examples_shown: Annotated[int, Field(ge=0, le=500)]
    atlas_photos: Annotated[int, Field(ge=1, le=5000)]
    quality: QualityLimits


class ClassifyParameters(ParameterGroup):
    """Parameters of the stage classify; see `conf/base/parameters_classify.yml`."""

    training_splits: list[str]
    calibrated_splits: list[str]
    test_share: Share
    photos_per_label: Annotated[int, Field(ge=1, le=1_000_000)]
    max_photos: Annotated[int, Field(ge=100, le=10_000_000)]
    mistakes_shown: Annotated[int, Field(ge=0, le=500)]
    seed: int


class SampleParameters(ParameterGroup):
    """Parameters of the stage sample; see `conf/base/parameters_sample.yml`."""

    frames_per_series: Annotated[int, Field(ge=1, le=360)]
    seed: int
    size: Annotated[int, Field(ge=32, le=256)]


class RetentionParameters(ParameterGroup):
    """Parameters of the stage retention; see `conf/base/parameters_retention.yml`."""

    content_days: Annotated[int, Field(ge=0, le=36_500)] | None


class CheckParameters(ParameterGroup):
    """Parameters of the stage check; see `conf/base/parameters_check.yml`."""

    contents: bool
    sample_share: ShareOrZero
    seed: int


class TidyParameters(ParameterGroup):
    """Parameters of the stage tidy; see `conf/base/parameters_tidy.yml`."""

    keep_days: Annotated[int, Field(ge=0, le=3650)]


class StorageParameters(ParameterGroup):
    """Restrictions on S3 buckets; see `conf/base/parameters_storage.yml`."""

    regions: Annotated[list[str], Field(min_length=1)]


STAGES: Mapping[str, type[ParameterGroup]] = {
    "sample": SampleParameters,
    "ingest": IngestParameters,
    "preprocess": PreprocessParameters,
    "backbone": BackboneParameters,
    "featurize": FeaturizeParameters,
    "reduce": ReduceParameters,
    "retention": RetentionParameters,
    "report": ReportParameters,
    "classify": ClassifyParameters,
    "check": CheckParameters,
    "tidy": TidyParameters,
    "storage": StorageParameters,
}
"""Model of each `parameters_<name>.yml`: all stages, and `storage`."""


def recipe_values(name: str, value: object) -> Recipe:
    """Return the recipe values of a parameter input of a node.

    Args:
        name: Name of a stage, or dotted name of one of its parameters.
        value: Parameters of this stage, or value of this parameter.

    Returns:
        Value of each parameter in `in_recipe`, by dotted name.
    """
    stage, _, parameter = name.partition(".")
    model = STAGES[stage]
    if parameter:
        return {name: value} if parameter in model.in_recipe else {}
    parameters = model.model_validate(value)
    return {f"{stage}.{n}": getattr(parameters, n) for n in model.in_recipe}
