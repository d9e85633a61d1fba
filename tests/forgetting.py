"""Erase photos, and read the receipts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from factories import PROJECT
from kedro.framework.cli.cli import KedroCLI
from pipeline_runs import PipelineRun


def forget(run: PipelineRun, *arguments: str, stdin: str | None = None) -> Result:
    """Call `kedro forget` in this process and Spark session."""
    pairs = (f"{n.replace('__', '.')}={v}" for n, v in run.parameters.items())
    command = ["forget", *arguments, "--params", ",".join(pairs)]
    return CliRunner().invoke(KedroCLI(PROJECT), command, stdin, prog_name="kedro")


def receipts(root: Path) -> list[Mapping[str, Any]]:
    """Return the receipts below a root, the oldest first."""
    files = sorted(root.glob("08_reporting/receipts/*.json"))
    return [json.loads(file.read_text()) for file in files]
