"""Phone models: backbone, PCA and classifier in one LiteRT file.

PCA and classifier are linear, so they become one fully connected layer, followed by a
softmax. `labels.txt` and `card.json` are appended as a zip archive, like the associated
files of LiteRT metadata.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from pydantic import BaseModel, ConfigDict

from fruits_pipeline.imaging.fitting import Fit
from fruits_pipeline.models import litert
from fruits_pipeline.models.classifiers import Classifier
from fruits_pipeline.models.fixed_shapes import fix_shapes
from fruits_pipeline.models.pca import Pca
from fruits_pipeline.schema_version import SCHEMA_VERSION

LABELS = "labels.txt"
CARD = "card.json"
FILE_IDENTIFIER = b"TFL3"  # `file_identifier` in LiteRT's schema.fbs


class PhoneCard(BaseModel):
    """Model card of a phone model: the information that an app needs.

    Attributes:
        input_size: Side of the square input in pixels.
        input: Description of the input.
        fit: How photos that are not square are fitted; see `imaging.fitting.fit`.
        short_side: Maximum shorter side in pixels, to which photos are reduced first.
        output: Description of the output.
        threshold: Smallest probability of an answer; below it the answer is unknown.
        backbone: SHA-256 of the backbone.
        pca: Digest of the PCA.
        labels: The labels, if a line of `labels.txt` cannot contain all of them because
            of line breaks; those are replaced there by spaces.
        model_sha256: SHA-256 of the LiteRT model, without the archive that contains this
            card; None in files of older versions.
        schema_version: Version of the file; see `fruits_pipeline.schema_version`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    input_size: int
    input: str = "uint8 RGB pixels, 0 to 255, [1, input_size, input_size, 3]"
    fit: Fit
    short_side: int
    output: str = "float32 probabilities in the order of labels.txt, [1, labels]"
    threshold: float
    backbone: str
    pca: str
    labels: tuple[str, ...] | None = None
    model_sha256: str | None = None
    schema_version: int = SCHEMA_VERSION


class PhoneModel:
    """A LiteRT model that maps pixels to probabilities, with labels and card.

    Args:
        content: Content of the file. The attribute `litert` has the part of it before the
            archive of labels and card.

    Raises:
        ValueError: If the file has no labels or no card, more or fewer labels than
            probabilities, or was written by a newer version of this project.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                lines = archive.read(LABELS).decode().removesuffix("\n").split("\n")
                self.card = _parse_card(archive.read(CARD))
                model = content[: min(i.header_offset for i in archive.infolist())]
        except (zipfile.BadZipFile, KeyError) as exc:
            raise ValueError(f"no model with {LABELS} and {CARD} inside") from exc
        self.litert = model
        if self.card.model_sha256 not in (None, hashlib.sha256(model).hexdigest()):
            raise ValueError(f"a model that differs from the SHA-256 in its {CARD}")
        self.labels = self.card.labels or tuple(lines)
        outputs = _output_width(content)
        if not len(self.labels) == len(lines) == outputs:
            raise ValueError(
                f"a model of {outputs} labels with {len(lines)} in {LABELS}"
            )

    def probabilities(self, photos: Iterable[np.ndarray]) -> np.ndarray:
        """Map photos, `uint8 [input_size, input_size, 3]`, to `float32 [n, labels]`."""
        return np.array([*litert.run(self.content, photos)])


def fuse(
    backbone: bytes, pca: Pca, classifier: Classifier, card: PhoneCard
) -> PhoneModel:
    """Append PCA and classifier to the LiteRT file of a backbone.

    Args:
        backbone: Content of the LiteRT file.
        pca: PCA, fitted to features of the backbone.
        classifier: Classifier, trained on components of the PCA.
        card: Card of the phone model.
    """
    weights = pca.components.T / pca.scale[:, np.newaxis] @ classifier.weights
    bias = classifier.bias - pca.mean @ weights
    model = _append_layers(fix_shapes(backbone), weights, bias)
    return _assemble(model, classifier.labels, card)


def with_fixed_shapes(model: PhoneModel) -> PhoneModel:
    """Return a phone model that LiteRT.js accepts; older versions wrote others."""
    fixed = fix_shapes(model.litert)
    return _assemble(fixed, model.labels, model.card)


def _assemble(model: bytes, labels: Sequence[str], card: PhoneCard) -> PhoneModel:
    """Append labels and card to a LiteRT model."""
    content = io.BytesIO(model)
    update: dict[str, Any] = {"model_sha256": hashlib.sha256(model).hexdigest()}
    lines = tuple(re.sub("[\r\n]", " ", label) for label in labels)
    if lines != tuple(labels):
        update["labels"] = tuple(labels)
    card = card.model_copy(update=update)
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr(_member(LABELS), "\n".join(lines) + "\n")
        text = card.model_dump_json(indent=2, exclude_none=True)
        archive.writestr(_member(CARD), f"{text}\n")
    return PhoneModel(content.getvalue())


def _member(name: str) -> zipfile.ZipInfo:
    """Return a member of the archive, with a constant time: equal models are equal files."""
    member = zipfile.ZipInfo(name)  # of the year 1980
    member.external_attr = 0o644 << 16
    return member


def _parse_card(content: bytes) -> PhoneCard:
    # The version first: the card of a newer version can have other fields.
    card = json.loads(content)
    version = card.get("schema_version") if isinstance(card, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise ValueError(
            f"a phone model of schema version {version}, which a newer version of this "
            f"project wrote (expected at most {SCHEMA_VERSION}),"
        )
    return PhoneCard.model_validate(card)


def _output_width(content: bytes) -> int:
    """Return the number of probabilities that a LiteRT model returns."""
    graph = schema.Model.GetRootAs(content).Subgraphs(0)
    return int(graph.Tensors(graph.Outputs(0)).Shape(1))


def _append_layers(content: bytes, weights: np.ndarray, bias: np.ndarray) -> bytes:
    """Append a fully connected layer and a softmax to a LiteRT model.

    Args:
        content: LiteRT model with one output, `float32 [1, width]`.
        weights: `[width, labels]`.
        bias: `[labels]`.
    """
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    (features,) = model.subgraphs[0].outputs
    weights_tensor = _add_constant(model, "classifier/weights", weights.T)
    bias_tensor = _add_constant(model, "classifier/bias", bias)
    logits = _add_tensor(model, "scores", (1, len(bias)))
    probabilities = _add_tensor(model, "probabilities", (1, len(bias)))
    fully_connected = schema.OperatorT(
        inputs=[features, weights_tensor, bias_tensor],
        outputs=[logits],
        builtinOptionsType=schema.BuiltinOptions.FullyConnectedOptions,
        builtinOptions=schema.FullyConnectedOptionsT(),
    )
    softmax = schema.OperatorT(
        inputs=[logits],
        outputs=[probabilities],
        builtinOptionsType=schema.BuiltinOptions.SoftmaxOptions,
        builtinOptions=schema.SoftmaxOptionsT(beta=1.0),
    )
    _add_operator(model, schema.BuiltinOperator.FULLY_CONNECTED, fully_connected)
    _add_operator(model, schema.BuiltinOperator.SOFTMAX, softmax)
    _set_output(model, probabilities)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), FILE_IDENTIFIER)
    return bytes(builder.Output())


def _add_constant(model: schema.ModelT, name: str, values: np.ndarray) -> int:
    """Add a constant float32 tensor to the first subgraph; return its tensor index."""
    data = np.frombuffer(values.astype("<f4").tobytes(), np.uint8)
    return _add_tensor(model, name, values.shape, data)


def _add_tensor(
    model: schema.ModelT,
    name: str,
    shape: Sequence[int],
    data: np.ndarray | None = None,
) -> int:
    """Add a float32 tensor to the first subgraph; return its tensor index.

    Args:
        model: The model.
        name: Name of the tensor.
        shape: Shape of the tensor.
        data: Bytes of a constant, `uint8`; None for the output of an operator.
    """
    model.buffers.append(schema.BufferT(data=data))
    tensor = schema.TensorT(
        name=name,
        shape=[*shape],
        type=schema.TensorType.FLOAT32,
        buffer=len(model.buffers) - 1,
    )
    tensors = model.subgraphs[0].tensors
    tensors.append(tensor)
    return len(tensors) - 1


def _add_operator(
    model: schema.ModelT, builtin_operator: int, operator: schema.OperatorT
) -> None:
    """Append a builtin operator to the first subgraph.

    Args:
        model: The model.
        builtin_operator: Value of `schema.BuiltinOperator`.
        operator: The operator, without `opcodeIndex`.
    """
    code = schema.OperatorCodeT(
        deprecatedBuiltinCode=builtin_operator, builtinCode=builtin_operator
    )
    model.operatorCodes.append(code)
    operator.opcodeIndex = len(model.operatorCodes) - 1
    model.subgraphs[0].operators.append(operator)


def _set_output(model: schema.ModelT, tensor_index: int) -> None:
    """Make a tensor the only output of the first subgraph and of all signatures."""
    model.subgraphs[0].outputs = [tensor_index]
    for signature in model.signatureDefs or []:
        (output,) = signature.outputs
        output.tensorIndex = tensor_index
