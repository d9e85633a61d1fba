import json

import numpy as np
import pandas as pd
import pytest

from fruits_pipeline.reporting.coverage import (
    compare_batches,
    count_coverage,
    group_photos,
)

PHOTOS = pd.DataFrame(
    {
        "label": ["Kiwi", "Kiwi", None, "Fig", "Fig"],
        "split": ["Test", "Test", None, "Test", "Training"],
        "series": [None, None, None, "r", "r"],
        "batch": ["000001", "000002", "000002", "000002", "000001"],
        "brightness": [0.2, 0.6, 0.6, 0.9, 0.4],
        **dict.fromkeys(("contrast", "sharpness", "saturation"), 0.5),
    }
)
MEANS = {"new": np.array([1.0, 6.0]), "earlier": np.array([1.0, 0.0])}
NOTHING = np.array([])

Chunks = list[pd.DataFrame]


@pytest.fixture(params=[1, 2, 5])
def chunks(request: pytest.FixtureRequest) -> Chunks:
    """The photos in tables of 1, 2 or 5 rows."""
    return [PHOTOS[i : i + request.param] for i in range(0, 5, request.param)]


def test_photos_are_counted_by_label_split_and_series(chunks: Chunks) -> None:
    counts = count_coverage(group_photos(chunks, ["000002"]))
    assert counts.astype(object).where(counts.notna(), None).to_numpy().tolist() == [
        [None, None, None, 1, 1],
        ["Fig", "Test", "r", 1, 1],
        ["Fig", "Training", "r", 1, 0],
        ["Kiwi", "Test", None, 2, 1],
    ]
    assert [*counts.columns][3:] == ["photos", "new_photos"]


def test_coverage_of_no_photos_is_empty() -> None:
    assert not len(count_coverage(group_photos([], [])))


def test_new_photos_are_compared_with_earlier_photos(chunks: Chunks) -> None:
    groups = group_photos(chunks, ["000002"])
    changes = compare_batches(groups, MEANS, 9.0, ["000002"])
    assert json.loads(json.dumps(changes)) == changes
    assert (changes["new_photos"], changes["earlier_photos"]) == (3, 2)
    assert {
        (row["label"], row["new"], row["earlier"]) for row in changes["labels"]
    } == {
        ("Kiwi", 1, 1),
        ("Fig", 1, 1),
        (None, 1, 0),
    }
    assert changes["measures"]["brightness"] == {"new": 0.7, "earlier": 0.3}
    assert changes["mean_distance"] == pytest.approx(6 / 3)


@pytest.mark.parametrize(
    ("new", "missing"), [([], "new"), (["000001", "000002"], "earlier")]
)
def test_without_new_or_earlier_photos_there_is_no_distance(
    new: list[str], missing: str, chunks: Chunks
) -> None:
    groups = group_photos(chunks, new)
    changes = compare_batches(groups, MEANS | {missing: NOTHING}, 9.0, new)
    assert changes["mean_distance"] is None
    assert None in changes["measures"]["contrast"].values()
