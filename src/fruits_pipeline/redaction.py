"""Remove credentials and control characters from messages, before anybody can see them."""

from __future__ import annotations

import logging
import os
import re
import traceback
from collections.abc import Mapping

HIDDEN = "***"

_NAME = (
    r"secret|passw(?:or)?d|token|credentials?|signature|access[._-]?key(?:[._-]?id)?"
)
_PATTERNS = (
    # User and password in a URL: http://user:password@host
    (re.compile(r"(://)[^/\s'\"]+@"), rf"\1{HIDDEN}@"),
    # Query of a URL, which can contain a signature.
    (re.compile(r"(https?://[^\s?'\"<>]+\?)[^\s'\"<>)]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)([?&](?:x-amz-[\w-]+|sig)=)[^\s&'\"<>)]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)(authorization['\"]?\s*[:=]\s*)[^\n]+"), rf"\1{HIDDEN}"),
    # Names with a value: "SecretAccessKey": "...", fs.s3a.secret.key=..., <Token>...
    (
        re.compile(
            rf"(?i)((?:{_NAME})[\w.-]*['\"]?\s*(?:[=:]|(?<!\s)>)\s*['\"]?)[^\s'\",;<>}})&]+"
        ),
        rf"\1{HIDDEN}",
    ),
    # Ids of access keys of AWS.
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b"), HIDDEN),
)
_SECRET_VARIABLE = re.compile(f"(?i){_NAME}")

MIN_SECRET = 8
"""Minimum length of the values of environment variables that are hidden."""


def redact(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """Replace credentials and signed queries in a text by `HIDDEN`.

    Args:
        text: Any text, such as a traceback.
        environ: Environment variables. The values of those that are named like a secret
            are also replaced.
    """
    for name, value in environ.items():
        if len(value) >= MIN_SECRET and _SECRET_VARIABLE.search(name):
            text = text.replace(value, HIDDEN)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def printable(text: str) -> str:
    """Escape characters that control a terminal, such as in names of files.

    Line breaks and tabs are kept.
    """
    return "".join(
        char if char.isprintable() or char in "\n\t" else ascii(char)[1:-1]
        for char in text
    )


class SafeMessages(logging.Filter):
    """Redacts and escapes the messages of log records."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the message, and the traceback if it contains credentials."""
        record.msg, record.args = printable(redact(record.getMessage())), ()
        if record.exc_info:
            text = "".join(traceback.format_exception(*record.exc_info))
            if redact(text) != text:
                record.msg += f"\n{printable(redact(text))}"
                record.exc_info = record.exc_text = None
        return True


def protect_logs() -> None:
    """Redact and escape the messages of all handlers of the root logger."""
    for handler in logging.getLogger().handlers:
        if not any(isinstance(added, SafeMessages) for added in handler.filters):
            handler.addFilter(SafeMessages())
