import json

import pytest

from fruits_pipeline.reporting.page.text import embed, listing, percent, seconds


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.5, "50 %"),
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.001, "below 1 %"),
        (0.999, "above 99 %"),
        (None, "–"),
    ],
)
def test_shares_are_not_rounded_to_none_or_all(share: float | None, text: str) -> None:
    assert percent(share).replace("\N{NO-BREAK SPACE}", " ") == text


@pytest.mark.parametrize(
    ("duration", "text"), [(0.44, "0.4 s"), (59.6, "1 min 0 s"), (12, "12 s")]
)
def test_durations_are_readable(duration: float, text: str) -> None:
    assert seconds(duration) == text


def test_lists_are_sentences() -> None:
    assert [*map(listing, ([], ["a"], ["a", "b"], ["a", "b", "c"]))] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_embedded_json_cannot_end_the_script() -> None:
    value = {"</script>": "<!-- & \u2028 é"}
    assert "<" not in embed(value)
    assert json.loads(embed(value)) == value
