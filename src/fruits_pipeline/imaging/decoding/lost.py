"""Runs of equal bytes that replace lost parts of a file.

Disks and downloads replace lost parts by zeros, and flash memory by 0xFF. AVIF, HEIC, LZW
and PackBits do not produce long runs of equal bytes. WebP and deflate do, for large areas
of one colour.
"""

import re

_LENGTH = 256
LOST = bytes(_LENGTH)
ERASED = b"\xff" * _LENGTH
_RUN = re.compile(rb"(.)\1{255,}", re.DOTALL)


def bytes_in_runs(content: bytes) -> int:
    """Return the number of bytes in runs of 256 or more equal bytes."""
    return sum(run.end() - run.start() for run in _RUN.finditer(content))
