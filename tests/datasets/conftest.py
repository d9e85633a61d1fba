from pathlib import Path
from uuid import uuid4

import pytest


@pytest.fixture(params=["local", "memory"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new folder on the local disk, or in fsspec's memory file system."""
    if request.param == "memory":
        return f"memory://{uuid4().hex}"
    return f"{tmp_path}/a folder"
