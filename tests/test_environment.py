import pytest

from fruits_pipeline.environment import SUBMIT_VARIABLE, VARIABLES, read_variable
from fruits_pipeline.errors import FruitsError


@pytest.mark.parametrize(("name", "example"), [(n, v[1]) for n, v in VARIABLES.items()])
def test_missing_variable_is_an_error_with_an_example(
    monkeypatch: pytest.MonkeyPatch, name: str, example: str
) -> None:
    monkeypatch.delenv(name, raising=False)
    with pytest.raises(FruitsError, match=f"no environment variable {name}") as caught:
        read_variable(name)
    assert f"{name}={example}" in str(caught.value)


def test_value_is_returned_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRUITS_BUCKET", "mine")
    assert read_variable("FRUITS_BUCKET") == "mine"


def test_spark_submit_sets_the_master(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPARK_MASTER", raising=False)
    monkeypatch.setenv(SUBMIT_VARIABLE, "1")
    assert read_variable("SPARK_MASTER") == ""
