"""One LiteRT file from pixels to probabilities: backbone, scaling, PCA and classifier.

All that follows a backbone is linear, so it is one layer, and a softmax. The file is a
zip archive as well, of `labels.txt` and `card.json`, as LiteRT's metadata has it.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from pydantic import BaseModel, ConfigDict

from fruits_pipeline.imaging.photos import Fit
from fruits_pipeline.models import litert
from fruits_pipeline.models.classifiers import Classifier
from fruits_pipeline.models.pca import Pca

LABELS = "labels.txt"
CARD = "card.json"
IDENTIFIER = b"TFL3"


class PhoneCard(BaseModel):
    """What a phone has to know of a model.

    Attributes:
        input_size: Side of the square input in pixels.
        input: What the model takes.
        fit: How photos that are not square meet it; see `photos.fit`.
        short_side: To which photos are shrunk before, in pixels.
        output: What the model gives.
        threshold: Least probability of an answer; less is unknown.
        backbone: SHA-256 of the backbone.
        pca: SHA-256 of the PCA.
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


class PhoneModel:
    """A LiteRT model that names fruit, with its labels and card inside.

    Args:
        content: Of the file.

    Raises:
        ValueError: It has no labels or no card.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as inside:
                self.labels = tuple(inside.read(LABELS).decode().splitlines())
                self.card = PhoneCard.model_validate_json(inside.read(CARD))
        except (zipfile.BadZipFile, KeyError) as exc:
            raise ValueError(f"no model with {LABELS} and {CARD} inside") from exc

    def probabilities(self, photos: Iterable[np.ndarray]) -> np.ndarray:
        """Map photos, `uint8 [input_size, input_size, 3]`, to `float32 [n, labels]`."""
        return np.array([*litert.run(self.content, photos)])


def fuse(
    backbone: bytes, pca: Pca, classifier: Classifier, card: PhoneCard
) -> PhoneModel:
    """Put scaling, PCA and classifier behind a backbone, in its own file.

    Args:
        backbone: Content of its LiteRT file.
        pca: Of its features.
        classifier: Of the components.
        card: Of the result.
    """
    projection = pca.components.T / pca.scale[:, np.newaxis] @ classifier.weights
    bias = classifier.bias - pca.mean @ projection
    model = _with_layer(backbone, projection, bias)
    content = io.BytesIO(model)
    with zipfile.ZipFile(content, "a") as inside:
        inside.writestr(LABELS, "\n".join(classifier.labels) + "\n")
        inside.writestr(CARD, card.model_dump_json(indent=2) + "\n")
    return PhoneModel(content.getvalue())


def _with_layer(content: bytes, weights: np.ndarray, bias: np.ndarray) -> bytes:
    """Return a LiteRT model followed by a linear layer and a softmax.

    Args:
        content: The model, of one output `float32 [1, width]`.
        weights: `[width, labels]`.
        bias: `[labels]`.
    """
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    constants = [
        _add_tensor(model, "classifier/weights", weights.T),
        _add_tensor(model, "classifier/bias", bias),
    ]
    empty = np.empty((1, len(bias)))
    scores = _add_tensor(model, "scores", empty, constant=False)
    probabilities = _add_tensor(model, "probabilities", empty, constant=False)
    operator, options = schema.BuiltinOperator, schema.BuiltinOptions
    dense, softmax = schema.FullyConnectedOptionsT(), schema.SoftmaxOptionsT()
    softmax.beta = 1.0
    inputs = [*graph.outputs, *constants]
    chosen = (options.FullyConnectedOptions, dense)
    _add_operator(model, operator.FULLY_CONNECTED, inputs, scores, chosen)
    chosen = (options.SoftmaxOptions, softmax)
    _add_operator(model, operator.SOFTMAX, [scores], probabilities, chosen)
    graph.outputs = [probabilities]
    for signature in model.signatureDefs or []:
        (output,) = signature.outputs
        output.tensorIndex = probabilities
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def _add_tensor(
    model: schema.ModelT, name: str, values: np.ndarray, constant: bool = True
) -> int:
    """Add float32 values to a model, or room for them, and return their number."""
    tensor, buffer = schema.TensorT(), schema.BufferT()
    if constant:
        buffer.data = np.frombuffer(values.astype("<f4").tobytes(), np.uint8)
    model.buffers.append(buffer)
    tensor.name, tensor.shape = name, [*values.shape]
    tensor.buffer = len(model.buffers) - 1
    tensor.type = schema.TensorType.FLOAT32
    tensors = model.subgraphs[0].tensors
    tensors.append(tensor)
    return len(tensors) - 1


def _add_operator(
    model: schema.ModelT,
    kind: int,
    inputs: list[int],
    output: int,
    options: tuple[int, object],
) -> None:
    """Add an operator of LiteRT's own to a model, after those that it has.

    Args:
        model: The model.
        kind: Of `BuiltinOperator`.
        inputs: Numbers of tensors.
        output: Number of a tensor.
        options: Their kind, of `BuiltinOptions`, and themselves.
    """
    code, operator = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode = code.deprecatedBuiltinCode = kind
    code.version = 1
    model.operatorCodes.append(code)
    operator.opcodeIndex = len(model.operatorCodes) - 1
    operator.inputs, operator.outputs = inputs, [output]
    operator.builtinOptionsType, operator.builtinOptions = options
    model.subgraphs[0].operators.append(operator)
