"""`kedro viz run` with the options and checks of the other commands.

Kedro-Viz ignores unknown parameters, and waits for its server forever if that finds an
error in the configuration.
"""

from __future__ import annotations

from copy import copy
from typing import Any

from kedro_viz.launchers.cli.run import run as viz_run

from fruits_pipeline.cli_options import take_locations_literally
from fruits_pipeline.session_options import Options


def _run(**options: Any) -> Any:
    Options(options["env"], None, options["params"] or {}).check_parameters()
    return _start(**options)


_start: Any = viz_run.callback
run = copy(viz_run)
run.callback = _run
run.params = [
    take_locations_literally(p) if p.name == "params" else p for p in viz_run.params
]
