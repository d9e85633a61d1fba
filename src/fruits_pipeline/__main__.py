"""Run the installed project in any folder: `python -m fruits_pipeline`.

Unlike `kedro run`, this uses the configuration that is installed with the package.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fruits_pipeline.shipped_files import CONF


def main(*args: Any, **kwargs: Any) -> Any:
    """Configure the project and call Kedro's `run` command."""
    # Kedro reads it when it is imported, and looks for `conf` in the current folder.
    os.environ.setdefault("KEDRO_LOGGING_CONFIG", str(CONF / "logging.yml"))
    from kedro.framework.cli.utils import find_run_command
    from kedro.framework.project import configure_project

    package_name = Path(__file__).parent.name
    configure_project(package_name)
    kwargs["standalone_mode"] = not hasattr(sys, "ps1")
    run: Callable[..., Any] = find_run_command(package_name)
    return run(*args, default_map={"conf_source": str(CONF)}, **kwargs)


if __name__ == "__main__":
    main()
