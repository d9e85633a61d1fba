"""Read files of NumPy arrays."""

import io
from typing import Any

import numpy as np

ZIP_SIGNATURE = b"PK\x03\x04"


def load_arrays(content: bytes) -> Any:
    """Return the arrays of an `.npz` file by name, without unpickling anything.

    Raises:
        ValueError: The content is not an archive of arrays; NumPy raises other types for
            damaged archives.
    """
    if not content.startswith(ZIP_SIGNATURE):  # NumPy would suggest to unpickle it
        raise ValueError("not an archive of arrays")
    return np.load(io.BytesIO(content), allow_pickle=False)
