"""Measure backbones by the protocols: `make protocols`."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from benchmarks.processes import PROJECT
from fruits_pipeline.datasets import BackboneFolder
from fruits_pipeline.imaging.fitting import Fit
from protocols import data, page, protocols
from protocols.data import FIT, FRUITS, GROCERY, SHIPPED, embed
from protocols.measures import measure_regression
from protocols.options import FOLDER, shared_option, work_option

FITS: tuple[Fit, ...] = ("pad", "crop", "stretch")
SIZES = ((0.35, 96), (0.35, 128), (0.35, 160), (0.35, 224), (1.0, 128), (1.0, 224))


@click.command()
@shared_option
@work_option
@click.option("--results", type=FOLDER, default=PROJECT / "protocols/results")
def main(shared: Path, work: Path, results: Path) -> None:
    """Measure the shipped backbone, and ImageNet's weights."""
    photos = data.load_photos(shared, work)
    held_out = data.train_held_out_backbone(shared, work)
    build = data.build_imagenet_backbone
    imagenet = build(shared, work, 0.35, 128, _load_card(SHIPPED)["inner_layers"])
    last_layer = build(shared, work, 0.35, 128, [])
    folders = (SHIPPED, held_out, imagenet)
    measured = {
        "trained": _measure(SHIPPED, held_out, photos),
        "ImageNet": _measure(imagenet, imagenet, photos),
        "ImageNet, last layer": _measure(last_layer, last_layer, photos),
    }
    sizes = []
    for alpha, size in SIZES:
        row = {"alpha": str(alpha), "size, px": size}
        folder = build(shared, work, alpha, size, [])
        sizes.append({**row, **_measure_size(folder, photos)})
    found = {
        "made": datetime.now(UTC).isoformat(timespec="minutes"),
        "backbones": {folder.name: _load_card(folder) for folder in folders},
        "protocols": measured,
        "sizes": sizes,
    }
    results.mkdir(parents=True, exist_ok=True)
    (results / "results.json").write_text(json.dumps(found, indent=1) + "\n")
    (results / "results.md").write_text(page.render(found))
    click.echo(page.render(found))


def _load_card(folder: Path) -> dict[str, Any]:
    return BackboneFolder(filepath=str(folder)).load().card.model_dump()


def _measure(
    all_photos: Path, held_out: Path, photos: protocols.Photos
) -> dict[str, Any]:
    """Measure a backbone trained with all photos, and one without held-out photos."""
    first, second = (
        {name: embed(folder, [*p["image"]], FIT)[0] for name, p in photos.items()}
        for folder in (all_photos, held_out)
    )
    return {
        **protocols.measure_all_photos(photos, first),
        **protocols.measure_held_out(photos, second),
    }


def _measure_size(folder: Path, photos: protocols.Photos) -> dict[str, Any]:
    """Return speed and accuracy of a backbone, as formatted numbers."""
    features, rate = embed(folder, [*photos[FRUITS]["image"]], FIT)
    tasks = {"held-out series": protocols.across_series(photos[FRUITS], features)}
    for mode in FITS:
        features, _ = embed(folder, [*photos[GROCERY]["image"]], mode)
        tasks[f"grocery, {mode}"] = protocols.official_split(photos[GROCERY], features)
    shares = {n: measure_regression(task.reduce()) for n, task in tasks.items()}
    percent = {name: f"{100 * share:.1f}" for name, share in shares.items()}
    return {"photos/s": f"{rate:,.0f}", **percent}


if __name__ == "__main__":
    main()
