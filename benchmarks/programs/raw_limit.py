"""The raw limit: read, decode, resize and infer in one process per core; no Spark."""

from collections.abc import Callable, Sequence
from multiprocessing import Pool
from pathlib import Path

from benchmarks.programs import load_backbone
from fruits_pipeline.imaging.fitting import fit
from fruits_pipeline.spark.resources import cpu_count

BACKBONE = load_backbone()


def prepare(photos: list[str], _: Path) -> Callable[[int], object]:
    """Return a function that embeds the first n photos."""
    cores = cpu_count()
    pool = Pool(cores)

    def embed(count: int) -> None:
        shares = [photos[core:count:cores] for core in range(cores)]
        pool.map(_embed_share, shares, chunksize=1)

    return embed


def _embed_share(photos: Sequence[str]) -> int:
    contents = (Path(photo).read_bytes() for photo in photos)
    size = BACKBONE.card.input_size
    return len(list(BACKBONE.embed(fit(content, size, "pad") for content in contents)))
