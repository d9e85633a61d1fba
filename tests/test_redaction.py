import logging
import sys

import pytest

from fruits_pipeline.redaction import SafeMessages, printable, protect_logs, redact

PASSWORD = "hunter-two-of-nobody"  # noqa: S105 - in no account


@pytest.mark.parametrize(
    "text",
    [
        f"Could not connect to http://user:{PASSWORD}@127.0.0.1:9000/bucket",
        f'proxy URL: "http://{PASSWORD}@proxy:3128"',
        f"https://b.s3.amazonaws.com/a.jpg?X-Amz-Date=1&X-Amz-Signature={PASSWORD}",
        f"Max retries exceeded with url: /a.jpg?X-Amz-Security-Token={PASSWORD} (x)",
        f"GET /a.jpg?AWSAccessKeyId=x&Signature={PASSWORD}&Expires=1",
        f"Authorization: Bearer {PASSWORD}",
        f"'Authorization': 'AWS4-HMAC-SHA256 Credential=x, Signature={PASSWORD}'",
        f'{{"SecretAccessKey": "{PASSWORD}"}}',
        f"{{'Token': '{PASSWORD}', 'x': 1}}",
        f"spark.hadoop.fs.s3a.secret.key={PASSWORD}",
        f"spark.hadoop.fs.s3a.access.key -> fs.s3a.access.key: {PASSWORD}",
        f"AWS_SESSION_TOKEN={PASSWORD} kedro run",
        f"environ({{'AWS_SECRET_ACCESS_KEY': '{PASSWORD}'}})",
        f"X-aws-ec2-metadata-token: {PASSWORD}",
        f"<AWSAccessKeyId>{PASSWORD}</AWSAccessKeyId>",
        f"password={PASSWORD}; host=x",
    ],
)
def test_credentials_are_removed(text: str) -> None:
    assert PASSWORD not in redact(text, {})


def test_ids_of_access_keys_are_removed() -> None:
    assert redact("denied for AKIA" + "A" * 16, {}) == "denied for ***"


def test_values_of_secret_environment_variables_are_removed() -> None:
    environ = {"AWS_SESSION_TOKEN": PASSWORD, "MY_TOKEN": "short", "HOME": "/home/me"}
    text = f"bare {PASSWORD} in /home/me, short"
    assert redact(text, environ) == "bare *** in /home/me, short"


@pytest.mark.parametrize(
    "text",
    [
        "Found no such photo folder s3://bucket/photos; expected photos in it.",
        "s3://bucket/a@b/c.jpg and /photos/x@y.jpg",
        "Set it with --params photos=<folder or s3://...>",
        "images: 3 of 4 batches, 1151 photos/s, 0 s left",
        "http://127.0.0.1:9000/bucket/key is not reachable: it is down",
        "[Errno 13] Permission denied: '/photos/token/secret of apples.jpg'",
    ],
)
def test_other_text_is_kept(text: str) -> None:
    assert redact(text, {}) == text


def test_control_characters_are_escaped() -> None:
    name = "a\x1b[2J\x1b]0;title\x07b\x9b31m\u202egpj.exe"
    assert printable(name) == "a\\x1b[2J\\x1b]0;title\\x07b\\x9b31m\\u202egpj.exe"
    assert printable("Crème 🍎\n\tx") == "Crème 🍎\n\tx"


def test_log_records_are_safe() -> None:
    try:
        raise OSError(f"http://user:{PASSWORD}@host")
    except OSError:
        arguments = ("Found %s", ("\x1b[2J",), sys.exc_info())
    record = logging.LogRecord("x", logging.ERROR, "", 0, *arguments)
    assert SafeMessages().filter(record)
    text = logging.Formatter().format(record)
    assert PASSWORD not in text
    assert "\x1b" not in text
    assert "Found \\x1b[2J" in text
    assert "OSError" in text


def test_all_handlers_of_the_root_logger_are_protected_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handler = logging.StreamHandler()
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    protect_logs()
    protect_logs()
    assert [type(added) for added in handler.filters] == [SafeMessages]
