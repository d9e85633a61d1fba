"""The datasets of figures, with previews for Kedro-Viz also if a file is missing.

The package `datasets` does not import this module, because Plotly and Matplotlib are slow
to import.
"""

from __future__ import annotations

from base64 import b64encode

from kedro_datasets._typing import ImagePreview, PlotlyPreview
from kedro_datasets.matplotlib import MatplotlibDataset
from kedro_datasets.pillow import ImageDataset
from kedro_datasets.plotly import JSONDataset

from fruits_pipeline.datasets.previews.contact_sheet import text_image
from fruits_pipeline.datasets.previews.results import preview_or_reason, text_figure

_COMMAND = "a run"


class PlotlyFile(JSONDataset):  # type: ignore[misc]
    """A JSON file with an interactive figure."""

    def preview(self) -> PlotlyPreview:
        """Return the figure for Kedro-Viz."""
        return preview_or_reason(super().preview, text_figure, _COMMAND)


class SheetFile(MatplotlibDataset):  # type: ignore[misc]
    """A PNG file with a contact sheet."""

    def preview(self) -> ImagePreview:
        """Return the picture for Kedro-Viz."""
        return preview_or_reason(super().preview, text_image, _COMMAND)


class PictureFile(ImageDataset):  # type: ignore[misc]
    """A PNG file with a picture."""

    def preview(self) -> ImagePreview:
        """Return the picture for Kedro-Viz."""
        return preview_or_reason(self._encoded, text_image, _COMMAND)

    def _encoded(self) -> ImagePreview:
        content: bytes = self._fs.cat_file(str(self._get_load_path()))
        return ImagePreview(b64encode(content).decode())
