import numpy as np
import pandas as pd

from fruits_pipeline.reporting.confusability import most_confused, similar_order


def answers(pairs: dict[tuple[str, str], int]) -> pd.DataFrame:
    rows = [pair for pair, count in pairs.items() for _ in range(count)]
    return pd.DataFrame(rows, columns=["label", "named"])


def test_confused_labels_are_next_to_each_other() -> None:
    pairs = {(name, name): 5 for name in "abcdef"} | {("a", "f"): 4, ("b", "e"): 4}
    counts, labels, left_out = most_confused(answers(pairs), 30)
    assert left_out == 0
    assert abs(labels.index("a") - labels.index("f")) == 1
    assert abs(labels.index("b") - labels.index("e")) == 1
    assert counts[labels.index("a"), labels.index("f")] == 4
    assert counts.sum() == 38


def test_labels_with_fewer_confusions_are_summed_up() -> None:
    pairs = {(name, name): 5 for name in "abcd"} | {("a", "b"): 3, ("b", "c"): 1}
    counts, labels, left_out = most_confused(answers(pairs), 2)
    assert ({*labels}, left_out) == ({"a", "b"}, 2)
    assert counts.shape == (2, 3)
    assert counts[labels.index("b"), 2] == 1


def test_order_of_few_labels_and_of_labels_without_photos() -> None:
    assert [*similar_order(np.eye(2))] == [0, 1]
    assert sorted(similar_order(np.zeros((5, 5)))) == [0, 1, 2, 3, 4]
