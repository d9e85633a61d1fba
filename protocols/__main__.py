"""Measure backbones by the protocols: `make protocols`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fruits_pipeline.datasets import BackboneFolder
from fruits_pipeline.imaging.photos import Fit
from protocols.backbones import SHIPPED, apart, plain
from protocols.measures import by_regression
from protocols.page import page
from protocols.photos import FRUITS, GROCERY, PROJECT, load
from protocols.protocols import (
    Sets,
    films_apart,
    official_split,
    trained_apart,
    trained_on_all,
)
from protocols.seeing import see

FIT: Fit = "crop"
SIZES = ((0.35, 96), (0.35, 128), (0.35, 160), (0.35, 224), (1.0, 128), (1.0, 224))
FITS: tuple[Fit, ...] = ("pad", "crop", "stretch")


def main() -> None:
    """Measure the shipped backbone, and ImageNet's weights beside it."""
    asked = _arguments()
    sets = {name: load(asked.shared / name) for name in (FRUITS, GROCERY)}
    kept = apart(asked.shared, asked.work)
    inner = _card(SHIPPED)["inner_layers"]
    same = plain(asked.shared, asked.work, 0.35, 128, inner)
    last = plain(asked.shared, asked.work, 0.35, 128, inner_layers=[])
    found: dict[str, Any] = {
        "made": datetime.now(UTC).isoformat(timespec="minutes"),
        "backbones": {str(f.name): _card(f) for f in (SHIPPED, kept, same)},
        "protocols": {
            "trained": {
                **_on(SHIPPED, sets, trained_on_all),
                **_on(kept, sets, trained_apart),
            },
            "ImageNet": _on_both(same, sets),
            "ImageNet, last layer": _on_both(last, sets),
        },
        "sizes": _sizes(asked, sets),
    }
    asked.results.mkdir(parents=True, exist_ok=True)
    (asked.results / "results.json").write_text(json.dumps(found, indent=1) + "\n")
    (asked.results / "results.md").write_text(page(found))
    print(page(found))


def _card(folder: Path) -> dict[str, Any]:
    return BackboneFolder(filepath=str(folder)).load().card.model_dump()


def _on(folder: Path, sets: Sets, protocols: Any) -> dict[str, Any]:
    features = {
        name: see(folder, photos.images, FIT).features for name, photos in sets.items()
    }
    found: dict[str, Any] = protocols(sets, features)
    return found


def _on_both(folder: Path, sets: Sets) -> dict[str, Any]:
    return {**_on(folder, sets, trained_on_all), **_on(folder, sets, trained_apart)}


def _sizes(asked: argparse.Namespace, sets: Sets) -> list[dict[str, Any]]:
    """Return accuracy and speed of ImageNet's weights, by width, size and fitting."""
    rows = []
    for alpha, size in SIZES:
        folder = plain(asked.shared, asked.work, alpha, size, inner_layers=[])
        fruits = see(folder, sets[FRUITS].images, FIT)
        row: dict[str, Any] = {"alpha": str(alpha), "size, px": size}
        row["photos/s"] = f"{fruits.rate:,.0f}"
        films = films_apart(sets[FRUITS], fruits.features).reduced()
        row["films apart"] = _percent(by_regression(films))
        for how in FITS:
            grocery = see(folder, sets[GROCERY].images, how).features
            split = official_split(sets[GROCERY], grocery).reduced()
            row[f"grocery, {how}"] = _percent(by_regression(split))
        rows.append(row)
    return rows


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _arguments() -> argparse.Namespace:
    shared = os.environ.get("FRUITS_SHARED")
    parser = argparse.ArgumentParser(prog="make protocols", description=__doc__)
    parser.add_argument("--shared", type=Path, default=shared, help="photos, weights")
    parser.add_argument("--work", type=Path, default=PROJECT / "data/protocols")
    parser.add_argument("--results", type=Path, default=PROJECT / "protocols/results")
    asked = parser.parse_args()
    if asked.shared is None:
        sys.exit(
            "Found no photos; expected a folder with fruits-360, grocery and keras. Set "
            "FRUITS_SHARED, or --shared."
        )
    return asked


if __name__ == "__main__":
    main()
