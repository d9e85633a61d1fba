import numpy as np
import pandas as pd

from fruits_pipeline.models.classifiers import UNKNOWN
from fruits_pipeline.reporting.confusion import confusion_matrix


def answers(*rows: tuple[str, str | None, bool]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["label", "answer", "right"])


ANSWERS = answers(
    ("b", "b", True), ("b", "a", False), ("b", None, False), ("b", "b", True),
    ("a", "a", True), ("untrained", None, True),
)  # fmt: skip


def test_rows_are_labels_and_columns_are_answers() -> None:
    (heat,) = confusion_matrix(ANSWERS).data
    assert [*heat.y] == ["a", "b", "untrained"]
    assert [*heat.x] == ["a", "b", "untrained", UNKNOWN]
    expected = [[100, 0, 0, 0], [25, 50, 0, 25], [0, 0, 0, 100]]
    np.testing.assert_allclose(heat.z, expected)
    assert heat.customdata[1].tolist() == [1, 2, 0, 1]


def test_label_unknown_is_not_the_absence_of_an_answer() -> None:
    rows = [("unknown", "unknown", True), ("unknown", None, False), ("a", None, True)]
    (heat,) = confusion_matrix(answers(*rows)).data
    assert [*heat.x] == ["a", "unknown", "(unknown)"]
    assert heat.customdata.tolist() == [[0, 0, 1], [0, 1, 1]]


def test_labels_that_look_like_numbers_and_dates_are_categories() -> None:
    names = ["01", "1", "1.0", "2024-01-01", "None", "nan"]
    figure = confusion_matrix(answers(*((name, name, True) for name in names)))
    assert [*figure.data[0].y] == names
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "category"


def test_long_label_is_shortened_on_the_axes() -> None:
    figure = confusion_matrix(answers(("x" * 200, "x" * 200, True)))
    assert figure.data[0].y[0] == "x" * 200
    assert len(figure.layout.yaxis.ticktext[0]) < 30


def test_title_counts_correct_answers() -> None:
    assert confusion_matrix(ANSWERS).layout.title.text == "4 of 6 answers correct"


def test_markup_in_labels_is_escaped() -> None:
    (heat,) = confusion_matrix(answers(("<b>fig", "<b>fig", True))).data
    assert heat.y[0] == "&lt;b&gt;fig"


def test_dollar_signs_in_labels_are_escaped() -> None:
    (heat,) = confusion_matrix(answers(("$x$", "$x$", True))).data
    assert heat.y[0] == "&#36;x&#36;"


def test_height_grows_with_the_number_of_labels() -> None:
    many = answers(*((f"fruit {i}", f"fruit {i}", True) for i in range(200)))
    assert confusion_matrix(many).layout.height > 200 * 12
