"""Make poison photos end their decoder in all Python processes.

Python imports this module when it starts, if this folder is in `PYTHONPATH`.
"""

from typing import Any

import poison

from fruits_pipeline.imaging.decoding import reading

_read_photo = reading.read_photo


def read_photo(content: bytes, *arguments: Any) -> Any:
    """Decode a photo, unless it is a poison photo."""
    poison.swallow(content)
    return _read_photo(content, *arguments)


reading.read_photo = read_photo
