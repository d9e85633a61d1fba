"""Backbones: LiteRT models that map pixels to features, with a model card."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from fruits_pipeline.models import litert


class Card(BaseModel):
    """Model card of a backbone.

    Attributes:
        architecture: Class name in `keras.applications`.
        arguments: Other arguments of the class, such as `alpha`.
        inner_layers: Inner layers whose means over the image are appended to the
            features of the last layer.
        input_size: Side of the square input in pixels.
        input: Description of the input. The file contains the scaling of pixels.
        width: Number of features.
        weights: Origin of the initial weights.
        training: Parameters, data and history of the training; empty without training.
        versions: Versions of the libraries that wrote the file.
        sha256: SHA-256 of the LiteRT file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    architecture: str
    arguments: dict[str, Any]
    inner_layers: list[str]
    input_size: int
    input: str = "uint8 RGB pixels, 0 to 255, [1, input_size, input_size, 3]"
    width: int
    weights: str
    training: dict[str, Any]
    versions: dict[str, str]
    sha256: str


class Backbone:
    """A LiteRT model and its card. Spark can pickle and broadcast it.

    Args:
        model: Content of the LiteRT file.
        card: Card of the model.

    Raises:
        ValueError: If the card belongs to another file.
    """

    def __init__(self, model: bytes, card: Card) -> None:
        if (found := hashlib.sha256(model).hexdigest()) != card.sha256:
            raise ValueError(
                f"its SHA-256 is {found}, but the card states {card.sha256}"
            )
        self.model = model
        self.card = card

    def embed(self, photos: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Map photos to features, one at a time, on one thread.

        Args:
            photos: Pixels, `uint8 [input_size, input_size, 3]`, RGB.

        Returns:
            Features of each photo, `float32 [width]`.
        """
        return litert.run(self.model, photos)
