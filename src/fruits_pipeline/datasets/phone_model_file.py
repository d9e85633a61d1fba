"""A phone model on disk: a LiteRT file with labels and card inside."""

from __future__ import annotations

from fruits_pipeline.datasets.stored_file import StoredFile
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.files import write_whole
from fruits_pipeline.models.phone_models import PhoneModel


class PhoneModelFile(StoredFile[PhoneModel, PhoneModel]):
    """A LiteRT file from pixels to probabilities, with its labels and card inside.

    Args:
        filepath: File or URL.
        metadata: For Kedro-Viz.
    """

    def load(self) -> PhoneModel:
        """Return the model.

        Raises:
            FruitsError: There is none, or it is none.
        """
        content = self.read()
        try:
            if content is None:
                raise ValueError("no phone model")
            return PhoneModel(content)
        except ValueError as exc:
            raise FruitsError(
                f"Found {exc} in {self.filepath}; expected what `kedro run --pipelines "
                "classify` writes. Run it, or name another file."
            ) from exc

    def save(self, data: PhoneModel) -> None:
        """Write the model."""
        write_whole(self.filepath, data.content)
