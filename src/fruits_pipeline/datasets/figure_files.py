"""The datasets of figures, with previews for Kedro-Viz also if a file is missing.

The package `datasets` does not import this module, because Plotly and Matplotlib are slow
to import.
"""

from __future__ import annotations

import gc
from base64 import b64encode
from typing import Any

from kedro_datasets._typing import ImagePreview, PlotlyPreview
from kedro_datasets.matplotlib import MatplotlibDataset
from kedro_datasets.pillow import ImageDataset
from kedro_datasets.plotly import JSONDataset
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from plotly.graph_objects import Figure

from fruits_pipeline.datasets.previews.contact_sheet import text_image
from fruits_pipeline.datasets.previews.results import preview_or_reason, text_figure
from fruits_pipeline.run_id import run_id

_COMMAND = "a run"


class PlotlyFile(JSONDataset):  # type: ignore[misc]
    """A JSON file with an interactive figure; `layout.meta.run_id` is the run that drew it."""

    def save(self, data: Figure) -> None:
        """Write the figure with the id of the run."""
        super().save(data.update_layout(meta={"run_id": run_id()}))

    def preview(self) -> PlotlyPreview:
        """Return the figure for Kedro-Viz."""
        return preview_or_reason(super().preview, text_figure, _COMMAND)


class SheetFile(MatplotlibDataset):  # type: ignore[misc]
    """A PNG file with a contact sheet; its text `run_id` is the run that drew it."""

    def save(self, data: Any) -> None:
        """Write the sheet with the id of the run, and clear it to free its memory."""
        self._save_args["metadata"] = {"run_id": run_id()}
        super().save(data)
        data.clear()
        gc.collect()  # artists refer to each other

    def preview(self) -> ImagePreview:
        """Return the picture for Kedro-Viz."""
        return preview_or_reason(super().preview, text_image, _COMMAND)


class PictureFile(ImageDataset):  # type: ignore[misc]
    """A PNG file with a picture; its text `run_id` is the run that drew it."""

    def save(self, data: Image.Image) -> None:
        """Write the picture with the id of the run."""
        text = PngInfo()
        text.add_text("run_id", run_id())
        self._save_args["pnginfo"] = text
        super().save(data)

    def preview(self) -> ImagePreview:
        """Return the picture for Kedro-Viz."""
        return preview_or_reason(self._encoded, text_image, _COMMAND)

    def _encoded(self) -> ImagePreview:
        content: bytes = self._fs.cat_file(str(self._get_load_path()))
        return ImagePreview(b64encode(content).decode())
