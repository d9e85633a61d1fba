"""`PhotoError`, the reason why a file is rejected."""

from __future__ import annotations


class PhotoError(ValueError):
    """A photo that cannot be decoded correctly.

    The message is stored in the column `error`, in terms of the file format.

    Args:
        reason: The message.
        size: Width and height in pixels, if they are known.
    """

    def __init__(self, reason: str, size: tuple[int, int] | None = None) -> None:
        super().__init__(" ".join(reason.split()))
        self.size = size
