"""Convert between columns of lists and NumPy arrays."""

from __future__ import annotations

import numpy as np
import pyarrow as pa


def to_matrix(column: pa.ListArray) -> np.ndarray:
    """Convert a column of `n` lists of length `d` to an array `[n, d]`."""
    flat: np.ndarray = column.flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(len(column), -1) if len(column) else flat.reshape(0, 0)


def to_list_array(matrix: np.ndarray) -> pa.ListArray:
    """Convert an array `[n, d]` to a column of `n` lists of length `d`."""
    n, width = matrix.shape if matrix.ndim == 2 else (0, 0)  # noqa: PLR2004 - no rows
    offsets = np.arange(n + 1, dtype=np.int32) * width
    return pa.ListArray.from_arrays(offsets, matrix.reshape(-1))
