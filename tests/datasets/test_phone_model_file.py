from pathlib import Path

import pytest
from kedro.io.core import DatasetError

from fruits_pipeline.datasets import PhoneModelFile


def test_missing_phone_model_is_an_error_with_the_command_to_run(folder: str) -> None:
    message = "Found no phone model in .*kedro run --pipelines classify"
    with pytest.raises(DatasetError, match=message):
        PhoneModelFile(filepath=f"{folder}/phone_model.tflite").load()


def test_file_without_labels_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "backbone.tflite"
    file.write_bytes(b"a LiteRT file")
    with pytest.raises(DatasetError, match=f"Found .*labels.txt.* in {file}"):
        PhoneModelFile(filepath=str(file)).load()
