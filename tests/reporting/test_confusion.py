import numpy as np
import pandas as pd

from fruits_pipeline.models.classifiers import UNKNOWN
from fruits_pipeline.reporting.confusion import confusion


def answers(*rows: tuple[str, str, bool]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["label", "answer", "right"])


ANSWERS = answers(
    ("b", "b", True), ("b", "a", False), ("b", UNKNOWN, False), ("b", "b", True),
    ("a", "a", True), ("never learned", UNKNOWN, True),
)  # fmt: skip


def test_rows_are_labels_and_columns_answers() -> None:
    (heat,) = confusion(ANSWERS).data
    assert [*heat.y] == ["a", "b", "never learned"]
    assert [*heat.x] == ["a", "b", "never learned", UNKNOWN]
    expected = [[100, 0, 0, 0], [25, 50, 0, 25], [0, 0, 0, 100]]
    np.testing.assert_allclose(heat.z, expected)
    assert heat.customdata[1].tolist() == [1, 2, 0, 1]


def test_the_title_counts_right_answers() -> None:
    assert confusion(ANSWERS).layout.title.text == "4 of 6 photos answered rightly"


def test_markup_in_a_label_is_shown_as_written() -> None:
    (heat,) = confusion(answers(("<b>fig", "<b>fig", True))).data
    assert heat.y[0] == "&lt;b&gt;fig"


def test_many_labels_have_room() -> None:
    many = answers(*((f"fruit {i}", f"fruit {i}", True) for i in range(200)))
    assert confusion(many).layout.height > 200 * 12
