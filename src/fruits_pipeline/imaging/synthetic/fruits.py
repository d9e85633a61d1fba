"""Labels of the sample photos, and the fruit of each."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from fruits_pipeline.imaging.synthetic import (
    composite_fruits,
    halved_fruits,
    whole_fruits,
)
from fruits_pipeline.imaging.synthetic.point_cloud import (
    Part,
    PointCloud,
    sample_surface,
)

FRUITS: dict[str, Callable[[Generator], list[Part]]] = {
    "Apple Red": whole_fruits.apple_red,
    "Avocado": halved_fruits.avocado,
    "Banana": whole_fruits.banana,
    "Cherry": composite_fruits.cherry,
    "Granny Smith": whole_fruits.granny_smith,
    "Grape": composite_fruits.grape,
    "Kiwi": halved_fruits.kiwi,
    "Lemon": whole_fruits.lemon,
    "Orange": whole_fruits.orange,
    "Pear": whole_fruits.pear,
    "Pineapple": composite_fruits.pineapple,
    "Strawberry": composite_fruits.strawberry,
    "Watermelon": whole_fruits.watermelon,
}
"""Functions that return the parts of a random fruit, by label."""


def create_fruit(label: str, rng: Generator, points_per_area: float) -> PointCloud:
    """Return a fruit of random size, proportions and colours.

    Args:
        label: A key of `FRUITS`.
        rng: Source of all randomness.
        points_per_area: Points per square unit.
    """
    cloud = sample_surface(FRUITS[label](rng), points_per_area)
    scale = rng.normal(1, 0.02, 3).astype(np.float32)
    tint = rng.normal(1, 0.02, 3).astype(np.float32)
    colours = np.clip(cloud.colours * tint, 0, 1)
    return replace(cloud, points=cloud.points * scale, colours=colours)
