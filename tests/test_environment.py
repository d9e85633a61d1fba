import pytest

from fruits_pipeline.environment import EXAMPLE, MEANING, variable
from fruits_pipeline.errors import FruitsError


@pytest.mark.parametrize("name", MEANING)
def test_a_missing_variable_is_named_with_an_example(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv(name, raising=False)
    with pytest.raises(FruitsError, match=f"no environment variable {name}") as caught:
        variable(name)
    assert f"{name}={EXAMPLE[name]}" in str(caught.value)


def test_a_variable_is_returned_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRUITS_BUCKET", "mine")
    assert variable("FRUITS_BUCKET") == "mine"
