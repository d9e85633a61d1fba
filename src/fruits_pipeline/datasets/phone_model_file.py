"""The dataset of a phone model."""

from __future__ import annotations

from kedro_datasets._typing import JSONPreview

from fruits_pipeline.datasets.path_dataset import PathDataset
from fruits_pipeline.datasets.previews.results import preview_or_reason, text_json
from fruits_pipeline.datasets.previews.rows import json_preview, size_text
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.files import read_file, write_atomically
from fruits_pipeline.models.phone_models import PhoneModel


class PhoneModelFile(PathDataset[PhoneModel, PhoneModel]):
    """A LiteRT file that maps pixels to probabilities, and contains labels and card."""

    def load(self) -> PhoneModel:
        """Return the model.

        Raises:
            FruitsError: The file is missing, or is not a phone model.
        """
        try:
            content = read_file(self.filepath)
        except FileNotFoundError as exc:
            raise self._error("no phone model") from exc
        except IsADirectoryError as exc:
            raise self._error("a folder, and no file,") from exc
        try:
            return PhoneModel(content)
        except ValueError as exc:
            raise self._error(str(exc)) from exc
        except Exception as exc:  # zipfile and flatbuffers raise many types
            raise self._error(f"a damaged model ({exc})") from exc

    def _error(self, found: str) -> FruitsError:
        return FruitsError(
            f"Found {found} in {self.filepath}; expected a phone model. Create it with "
            "`kedro run --pipelines classify`, or give the path of another file."
        )

    def preview(self) -> JSONPreview:
        """Return card and labels for Kedro-Viz."""
        command = "`kedro run --pipelines classify`"
        return preview_or_reason(self._card, text_json, command)

    def _card(self) -> JSONPreview:
        model = self.load()
        labels = list(model.labels)
        size = size_text(len(model.content))
        return json_preview(model.card.model_dump() | {"labels": labels, "file": size})

    def save(self, data: PhoneModel) -> None:
        """Write the model."""
        write_atomically(self.filepath, data.content)
