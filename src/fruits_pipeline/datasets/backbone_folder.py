"""A backbone on disk: `backbone.tflite` and its `card.json`."""

from __future__ import annotations

from typing import Any

from fsspec.core import url_to_fs
from kedro.io.core import AbstractDataset

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.files import write_whole
from fruits_pipeline.lineage import Recipe
from fruits_pipeline.models.backbones import Backbone, Card


class BackboneFolder(AbstractDataset[Backbone, Backbone]):
    """A folder with a LiteRT file and the card that says what it is.

    Args:
        filepath: Folder or URL.
        metadata: For Kedro-Viz.
    """

    def __init__(
        self, *, filepath: str, metadata: dict[str, Any] | None = None
    ) -> None:
        self.filepath = filepath
        self.metadata = metadata

    def load(self) -> Backbone:
        """Return the backbone.

        Raises:
            FruitsError: It is missing, or its card is of another file.
        """
        file_system, folder = url_to_fs(self.filepath)
        try:
            card = Card.model_validate_json(file_system.cat_file(f"{folder}/card.json"))
            return Backbone(file_system.cat_file(f"{folder}/backbone.tflite"), card)
        except FileNotFoundError as exc:
            raise FruitsError(
                f"Found no backbone in {self.filepath} ({exc}). There are three ways to "
                "get one: use the one that the project ships, with --params "
                "backbone_folder=data/06_models/backbone; build one from ImageNet "
                "weights or a weights file, with `kedro run --pipelines backbone` and "
                "backbone.weights set; or train one, with backbone.training.epochs set."
            ) from exc
        except ValueError as exc:
            raise FruitsError(
                f"Found a backbone in {self.filepath} that is not what its card says: "
                f"{exc}. Build it again with `kedro run --pipelines backbone`, or set "
                "backbone_folder to another."
            ) from exc

    def recipe(self) -> Recipe:
        """Return the digest of the LiteRT file."""
        return {"backbone": self.load().card.sha256}

    def state(self) -> str:
        """Return the digest of the LiteRT file."""
        return self.load().card.sha256

    def save(self, data: Backbone) -> None:
        """Write the model, then its card."""
        card = data.card.model_dump_json(indent=2) + "\n"
        write_whole(f"{self.filepath}/backbone.tflite", data.model)
        write_whole(f"{self.filepath}/card.json", card.encode())

    def _exists(self) -> bool:
        file_system, folder = url_to_fs(self.filepath)
        return bool(file_system.exists(f"{folder}/card.json"))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self.filepath}
