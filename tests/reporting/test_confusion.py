import numpy as np
import pandas as pd

from fruits_pipeline.models.classifiers import UNKNOWN
from fruits_pipeline.reporting.confusion import confusion_matrix


def answers(*rows: tuple[str, str, bool]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["label", "answer", "right"])


ANSWERS = answers(
    ("b", "b", True), ("b", "a", False), ("b", UNKNOWN, False), ("b", "b", True),
    ("a", "a", True), ("untrained", UNKNOWN, True),
)  # fmt: skip


def test_rows_are_labels_and_columns_are_answers() -> None:
    (heat,) = confusion_matrix(ANSWERS).data
    assert [*heat.y] == ["a", "b", "untrained"]
    assert [*heat.x] == ["a", "b", "untrained", UNKNOWN]
    expected = [[100, 0, 0, 0], [25, 50, 0, 25], [0, 0, 0, 100]]
    np.testing.assert_allclose(heat.z, expected)
    assert heat.customdata[1].tolist() == [1, 2, 0, 1]


def test_title_counts_correct_answers() -> None:
    assert confusion_matrix(ANSWERS).layout.title.text == "4 of 6 answers correct"


def test_markup_in_labels_is_escaped() -> None:
    (heat,) = confusion_matrix(answers(("<b>fig", "<b>fig", True))).data
    assert heat.y[0] == "&lt;b&gt;fig"


def test_height_grows_with_the_number_of_labels() -> None:
    many = answers(*((f"fruit {i}", f"fruit {i}", True) for i in range(200)))
    assert confusion_matrix(many).layout.height > 200 * 12
