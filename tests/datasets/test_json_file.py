from pathlib import Path

import pytest
from kedro.io import DatasetError

from fruits_pipeline.datasets import JsonFile


def test_saved_object_is_loaded(tmp_path: Path) -> None:
    file = JsonFile(filepath=f"{tmp_path}/a.json")
    file.save({"été": [1]})
    assert file.load() == {"été": [1]}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"null"])
def test_damaged_file_is_reported(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"expected a JSON object.*`kedro run`"):
        JsonFile(filepath=str(path)).load()
