"""The photos of Fruits-360 and of Grocery, with all that their paths say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from fruits_pipeline.imaging.photos import canonicalise
from fruits_pipeline.io.listing import origin

PROJECT = Path(__file__).parents[1]
SHORT_SIDE, MOST_PIXELS = 256, 50_000_000
FRUITS, GROCERY = "fruits-360", "grocery"

LEFT_OUT = {
    FRUITS: [
        *("Cactus fruit", "Carambula", "Granadilla"),
        *("Kumquats", "Quince", "Strawberry"),
    ],
    GROCERY: ["Lime", "Mango", "Pineapple", "Satsumas"],
}
"""Kinds that are in no training: none of them is, by another name, in the other set."""

APART = "r"
"""The film, of a fruit turned about another axis, that is in no training."""


@dataclass(frozen=True)
class Photos:
    """Photos of one set, or some of them.

    Attributes:
        images: Canonical photos.
        labels: Of each, `str [n]`.
        splits: Of each, lower case, `str [n]`.
        films: Of each; the photo itself where it is of none, `str [n]`.
    """

    images: list[bytes]
    labels: np.ndarray
    splits: np.ndarray
    films: np.ndarray

    @property
    def is_apart(self) -> np.ndarray:
        """Say which photos are of the film that is kept apart."""
        return np.char.endswith(self.films, f"/{APART}")


def load(folder: Path) -> Photos:
    """Read all photos of a set.

    Args:
        folder: Of the set.
    """
    rules = yaml.safe_load((PROJECT / "conf/base/parameters_ingest.yml").read_text())
    compiled = [re.compile(rule) for rule in rules["ingest"]["path_rules"]]
    paths = sorted(file.relative_to(folder) for file in folder.rglob("*.jpg"))
    said = [origin(path.as_posix(), compiled) for path in paths]
    contents = [(folder / path).read_bytes() for path in paths]
    images = [canonicalise(c, SHORT_SIDE, MOST_PIXELS).image or b"" for c in contents]
    return Photos(
        images=images,
        labels=np.array([of.label for of in said]),
        splits=np.array([str(of.split).lower() for of in said]),
        films=np.array(
            [of.series or str(p) for of, p in zip(said, paths, strict=True)]
        ),
    )
