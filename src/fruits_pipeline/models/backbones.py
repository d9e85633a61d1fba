"""Run a backbone: a LiteRT file that maps pixels to features, and the card beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from fruits_pipeline.models import litert


class Card(BaseModel):
    """What a backbone file is.

    Attributes:
        architecture: Class name in `keras.applications`.
        arguments: Its further arguments, such as `alpha`.
        inner_layers: Whose means are the last features, after those of the last layer.
        input_size: Side of the square input in pixels.
        input: What the file takes; the model's own scaling is inside of it.
        width: Number of features.
        weights: Where they come from.
        training: What was trained on what, and how it went; empty if nothing was.
        versions: Of the libraries that built the file.
        sha256: Of the file.
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
    """A LiteRT model and its card; what Spark ships to its workers.

    Args:
        model: Content of the LiteRT file.
        card: Of that file.

    Raises:
        ValueError: The card is of another file.
    """

    def __init__(self, model: bytes, card: Card) -> None:
        if (found := hashlib.sha256(model).hexdigest()) != card.sha256:
            raise ValueError(f"SHA-256 {found}, but its card says {card.sha256}")
        self.model = model
        self.card = card

    def embed(self, photos: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Map photos to features, one by one, on one thread.

        Args:
            photos: Pixels, `uint8 [input_size, input_size, 3]`, RGB.

        Returns:
            Features of each, `float32 [width]`.
        """
        return litert.run(self.model, photos)
