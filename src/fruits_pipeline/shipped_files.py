"""Files of the project that are installed with the package: `conf` and the backbone."""

from pathlib import Path

FOLDER = Path(__file__).parent / "shipped"
"""In a checkout, it contains symbolic links; setuptools copies the files."""

CONF = FOLDER / "conf"


def shipped_path(path: str) -> str:
    """Return the absolute path of an installed file or folder: the resolver `${shipped:PATH}`.

    Args:
        path: Path in a checkout of the project.
    """
    return str(FOLDER / path)
