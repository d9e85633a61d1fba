from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from fruits_pipeline.datasets import FittedPca, TidyPlan
from fruits_pipeline.models.moments import moments_of
from fruits_pipeline.models.pca import fit
from fruits_pipeline.parameters import IngestParameters, TidyParameters
from fruits_pipeline.pipelines.tidy.nodes import group_batches, plan_tidy

INGEST = IngestParameters(
    photos_per_batch=100,
    photos_per_part=50,
    part_bytes=1_000_000,
    requests_in_flight=4,
    extensions=["jpg"],
    path_rules=[],
    gone="keep",
    max_gone_rate=0.1,
)


def sizes_of(*sizes: int, first: int = 1) -> dict[str, int]:
    return {f"{number:06d}": size for number, size in enumerate(sizes, first)}


def combined(sizes: Mapping[str, int], groups: list[list[str]]) -> dict[str, int]:
    """Return the sizes of the batches after groups were combined."""
    removed = {name for names in groups for name in names}
    kept = {name: size for name, size in sizes.items() if name not in removed}
    return kept | {names[0]: sum(map(sizes.__getitem__, names)) for names in groups}


def plan(
    sizes: Mapping[str, int], new: tuple[str, ...] = (), fitted: tuple[str, ...] = ()
) -> dict[str, list[str]]:
    counts = pd.DataFrame({"batch": [*sizes], "photos": [*sizes.values()]})
    model = fit(
        moments_of(np.random.default_rng(0).normal(size=(9, 3))), 0.9, False, None
    )
    found = plan_tidy(
        counts, new, FittedPca(model, fitted), INGEST, TidyParameters(keep_days=3)
    )
    assert found == TidyPlan(found.groups, 3)
    return {target: [*names] for target, names in found.groups.items()}


def test_consecutive_small_batches_are_combined_up_to_the_limit() -> None:
    sizes = sizes_of(100, 30, 30, 30, 30, 30, 100, 10, 10)
    assert plan(sizes) == {
        "000002": ["000002", "000003", "000004"],
        "000005": ["000005", "000006"],
        "000008": ["000008", "000009"],
    }


def test_batches_of_half_the_limit_and_single_batches_stay() -> None:
    assert plan(sizes_of(50, 10, 50, 70, 100)) == {}


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_left_to_combine_and_no_batch_is_too_large(seed: int) -> None:
    random = np.random.default_rng(seed)
    sizes = sizes_of(*random.integers(0, 100, 60).tolist())
    kinds = dict.fromkeys(sizes, 0)
    groups = [group for group in group_batches(sizes, kinds, 100) if len(group) > 1]
    after = combined(sizes, groups)
    assert sum(after.values()) == sum(sizes.values())
    assert max(after.values()) <= 100
    again = group_batches(after, dict.fromkeys(after, 0), 100)
    assert all(len(group) == 1 for group in again)


def test_numbers_are_sorted_as_numbers() -> None:
    sizes = {"999999": 10, "1000000": 10, "1000001": 10}
    assert plan(sizes) == {"999999": ["999999", "1000000", "1000001"]}


def test_new_photos_stay_new() -> None:
    sizes = sizes_of(10, 10, 10, 10)
    assert plan(sizes, new=("000003", "000004")) == {
        "000001": ["000001", "000002"],
        "000003": ["000003", "000004"],
    }


def test_photos_of_the_pca_are_not_combined_with_others() -> None:
    sizes = sizes_of(10, 10, 10, 10)
    fitted = ("000001", "000002", "000099")
    assert plan(sizes, fitted=fitted) == {
        "000001": ["000001", "000002"],
        "000003": ["000003", "000004"],
    }
