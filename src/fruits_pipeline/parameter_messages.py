"""What a parameter must be, in plain words."""

from __future__ import annotations

from pydantic_core import ErrorDetails

_WHOLE_NUMBER, _NUMBER, _SWITCH = "a whole number", "a number", "true or false"
_GROUP = "parameters by name, such as {name: value}"
_EXPECTED = {
    "greater_than": "a number above {gt:g}",
    "greater_than_equal": "a number of at least {ge:g}",
    "less_than": "a number below {lt:g}",
    "less_than_equal": "a number of at most {le:g}",
    "finite_number": "a finite number",
    "int_type": _WHOLE_NUMBER,
    "int_parsing": _WHOLE_NUMBER,
    "int_parsing_size": _WHOLE_NUMBER,
    "int_from_float": _WHOLE_NUMBER,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "bool_type": _SWITCH,
    "bool_parsing": _SWITCH,
    "string_type": "text",
    "string_too_short": "text that is not empty",
    "list_type": "a list, such as [a, b]",
    "too_short": "a list that is not empty",
    "literal_error": "{expected}",
}
"""Expectation for each type of error of pydantic, with the fields of its context."""

_GROUPS = {"dict_type", "model_type", "model_attributes_type"}


def expectation(error: ErrorDetails) -> str:
    """Return what was expected instead of a wrong value.

    Args:
        error: The error of pydantic. That of a validator of this project contains the
            expectation itself.
    """
    kind = error["type"]
    if kind in _GROUPS:
        return _GROUP
    if kind in _EXPECTED:
        return _EXPECTED[kind].format(**error.get("ctx", {}))
    return error["msg"].removeprefix("Value error, ")
