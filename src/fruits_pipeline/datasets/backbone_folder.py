"""The dataset of a backbone."""

from __future__ import annotations

from typing import Any

from kedro_datasets._typing import JSONPreview

from fruits_pipeline.datasets.path_dataset import PathDataset
from fruits_pipeline.datasets.previews.results import preview_or_reason, text_json
from fruits_pipeline.datasets.previews.rows import json_preview
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.files import read_file, resolve, write_atomically
from fruits_pipeline.lineage import Recipe
from fruits_pipeline.models.backbones import Backbone, Card


class BackboneFolder(PathDataset[Backbone, Backbone]):
    """A folder with `backbone.tflite`, a LiteRT file, and its model card `card.json`.

    Args:
        filepath: Path or URL of the folder.
        metadata: Ignored; used by Kedro-Viz.
    """

    def __init__(
        self, *, filepath: str, metadata: dict[str, Any] | None = None
    ) -> None:
        super().__init__(filepath=filepath.rstrip("/"), metadata=metadata)

    def load(self) -> Backbone:
        """Return the backbone.

        Raises:
            FruitsError: A file is missing, or the card does not describe the LiteRT file.
        """
        try:
            card = Card.model_validate_json(read_file(f"{self.filepath}/card.json"))
            return Backbone(read_file(f"{self.filepath}/backbone.tflite"), card)
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
                f"Found a backbone in {self.filepath} that does not match its card: "
                f"{exc}. Build it again with `kedro run --pipelines backbone`, or set "
                "backbone_folder to another one."
            ) from exc

    def preview(self) -> JSONPreview:
        """Return the card for Kedro-Viz."""
        command = "`kedro run --pipelines backbone`"
        return preview_or_reason(self._card, text_json, command)

    def _card(self) -> JSONPreview:
        card = Card.model_validate_json(read_file(f"{self.filepath}/card.json"))
        return json_preview(card.model_dump())

    def save(self, data: Backbone) -> None:
        """Write the LiteRT file, then its card."""
        card = data.card.model_dump_json(indent=2) + "\n"
        write_atomically(f"{self.filepath}/backbone.tflite", data.model)
        write_atomically(f"{self.filepath}/card.json", card.encode())

    def recipe(self) -> Recipe:
        """Return the recipe: the SHA-256 of the LiteRT file as `backbone`."""
        return {"backbone": self.fingerprint()}

    def fingerprint(self) -> str:
        """Return the SHA-256 of the LiteRT file."""
        return self.load().card.sha256

    def _exists(self) -> bool:
        file_system, folder = resolve(self.filepath)
        return bool(file_system.exists(f"{folder}/card.json"))
