"""The one error of this project that is meant to be read by its user."""


class FruitsError(Exception):
    """What a user can put right: its text says found, expected, and what to change."""
