from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def test_run_does_not_import_tensorflow(new_process: Mapping[str, Any]) -> None:
    assert new_process["exit_code"] == 0
    assert new_process["tensorflow_modules"] == []


def test_run_deletes_its_sockets(new_process: Mapping[str, Any]) -> None:
    assert not Path(new_process["sockets"]).exists()
