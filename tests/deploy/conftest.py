import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

CACHE = Path(
    os.environ.get(
        "FRUITS_CLEAN_ROOT", Path(tempfile.gettempdir(), "fruits-clean-root")
    )
)


@pytest.fixture(scope="session")
def debian() -> Path:
    """Install a minimal Debian with Python, unless it is in the cache."""
    root, marker = CACHE / "root", CACHE / "ready"
    if not marker.exists():
        shutil.rmtree(CACHE, ignore_errors=True)
        options = ["--variant=minbase", "--include=python3-venv,ca-certificates"]
        subprocess.run(
            ["debootstrap", *options, "bookworm", root, debian_mirror()],  # noqa: S607 - found on the PATH
            check=True,
            capture_output=True,
        )
        marker.touch()
    return root


def debian_mirror() -> str:
    """Return the URL of the package repository that this machine uses."""
    options = ["--format", "$(REPO_URI)", "Created-By: Packages"]
    listed = subprocess.run(
        ["apt-get", "indextargets", *options],  # noqa: S607 - found on the PATH
        capture_output=True,
        text=True,
        check=True,
    )
    return listed.stdout.split()[0]
