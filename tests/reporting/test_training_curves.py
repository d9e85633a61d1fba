import pytest

from fruits_pipeline.reporting.training_curves import training_curves

HISTORY = [
    {
        "loss": 3.0,
        "label_accuracy": 0.2,
        "label_loss": 2.5,
        "copied_loss": -0.1,
        "alike_loss": 2,
    },
    {
        "loss": 1.0,
        "label_accuracy": 0.8,
        "label_loss": 1.2,
        "copied_loss": -0.7,
        "alike_loss": 1,
    },
]


def test_every_value_has_a_curve_over_the_epochs() -> None:
    curves = {curve.name: curve for curve in training_curves(HISTORY).data}
    losses = {"loss", "label loss", "copied loss", "alike loss"}
    assert {*curves} == losses | {"label accuracy"}
    assert len({str(curves[name].line) for name in losses}) == len(losses)
    assert [*curves["loss"].x] == [1, 2]
    assert [*curves["loss"].y] == [3.0, 1.0]


def test_accuracy_has_an_axis_of_its_own() -> None:
    figure = training_curves(HISTORY)
    axes = {curve.name: curve.yaxis for curve in figure.data}
    assert axes["label accuracy"] == "y2"
    assert axes["loss"] == "y"
    assert figure.layout.title.text.startswith("2 epochs, 80.0 %")


@pytest.mark.parametrize("history", [[], HISTORY[:1]])
def test_few_epochs_can_be_drawn(history: list[dict[str, float]]) -> None:
    assert len(training_curves(history).data) == 5 * len(history)
