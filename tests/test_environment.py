import pytest

from fruits_pipeline.environment import DESCRIPTIONS, EXAMPLES, read_variable
from fruits_pipeline.errors import FruitsError


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_missing_variable_is_an_error_with_an_example(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv(name, raising=False)
    with pytest.raises(FruitsError, match=f"no environment variable {name}") as caught:
        read_variable(name)
    assert f"{name}={EXAMPLES[name]}" in str(caught.value)


def test_value_is_returned_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRUITS_BUCKET", "mine")
    assert read_variable("FRUITS_BUCKET") == "mine"
