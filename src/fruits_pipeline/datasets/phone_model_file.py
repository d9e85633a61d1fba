"""A phone model on disk: a LiteRT file with labels and card inside."""

from __future__ import annotations

from typing import Any

from fsspec.core import url_to_fs
from kedro.io.core import AbstractDataset

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.files import write_whole
from fruits_pipeline.phone_models import PhoneModel


class PhoneModelFile(AbstractDataset[PhoneModel, PhoneModel]):
    """A LiteRT file from pixels to probabilities, with its labels and card inside.

    Args:
        filepath: File or URL.
        metadata: For Kedro-Viz.
    """

    def __init__(
        self, *, filepath: str, metadata: dict[str, Any] | None = None
    ) -> None:
        self.filepath = filepath
        self.metadata = metadata

    def load(self) -> PhoneModel:
        """Return the model.

        Raises:
            FruitsError: There is none, or it is none.
        """
        file_system, path = url_to_fs(self.filepath)
        try:
            return PhoneModel(file_system.cat_file(path))
        except FileNotFoundError as exc:
            found = "no phone model"
            cause: Exception = exc
        except ValueError as exc:
            found, cause = f"{exc}", exc
        raise FruitsError(
            f"Found {found} in {self.filepath}; expected what `kedro run --pipelines "
            "classify` writes. Run it, or name another file."
        ) from cause

    def save(self, data: PhoneModel) -> None:
        """Write the model."""
        write_whole(self.filepath, data.content)

    def _exists(self) -> bool:
        file_system, path = url_to_fs(self.filepath)
        return bool(file_system.exists(path))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self.filepath}
