"""Run the chain twice in one process, and say how the second run went.

python -m benchmarks.sections.warm_chain FEW SMALL_ROOT PHOTOS ROOT
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from benchmarks.harness import CARRIED
from benchmarks.processes import PROJECT


def main() -> None:
    """Print a line of JSON, as contestants do."""
    few, small_root, photos, root = sys.argv[1:]
    begin = time.monotonic()
    bootstrap_project(PROJECT)
    _run(few, small_root)
    start_seconds = time.monotonic() - begin
    _run(photos, root)
    summary = json.loads(Path(root, "08_reporting/run_summary.json").read_text())
    said = {
        "photos": summary["photos"],
        "seconds": sum(summary["seconds"].get(stage, 0.0) for stage in CARRIED),
        "start_seconds": start_seconds,
        "detail": {"seconds": summary["seconds"]},
    }
    print(json.dumps(said))


def _run(photos: str, root: str) -> None:
    places = {"photos": photos, "root": root}
    with KedroSession.create(
        project_path=PROJECT, save_on_close=False, runtime_params=places
    ) as session:
        session.run()


if __name__ == "__main__":
    main()
