import pytest

from fruits_pipeline.reporting.training_curves import training_curves

NAMES = ("loss", "label_accuracy", "label_loss", "teacher_loss", "similarity_loss")
HISTORY = [
    dict(zip(NAMES, values, strict=True))
    for values in [(3.0, 0.2, 2.5, -0.1, 2), (1.0, 0.8, 1.2, -0.7, 1)]
]


def test_every_value_is_a_curve_over_the_epochs() -> None:
    curves = {curve.name: curve for curve in training_curves(HISTORY).data}
    losses = {"loss", "label loss", "teacher loss", "similarity loss"}
    assert {*curves} == losses | {"label accuracy"}
    assert len({str(curves[name].line) for name in losses}) == len(losses)
    assert [*curves["loss"].x] == [1, 2]
    assert [*curves["loss"].y] == [3.0, 1.0]


def test_accuracy_has_its_own_axis() -> None:
    figure = training_curves(HISTORY)
    axes = {curve.name: curve.yaxis for curve in figure.data}
    assert axes["label accuracy"] == "y2"
    assert axes["loss"] == "y"
    assert figure.layout.title.text == ("2 epochs, 80.0 % training accuracy")


@pytest.mark.parametrize("history", [[], HISTORY[:1]])
def test_history_may_be_short_or_empty(history: list[dict[str, float]]) -> None:
    assert len(training_curves(history).data) == 5 * len(history)
