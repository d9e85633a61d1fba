"""Name the fruit in photos: `python -m fruits_pipeline.predict PHOTO...`."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from kedro.io.core import DatasetError

from fruits_pipeline.datasets import PhoneModelFile
from fruits_pipeline.imaging.photos import canonicalise, fit
from fruits_pipeline.models.classifiers import UNKNOWN
from fruits_pipeline.models.phone_models import PhoneModel
from fruits_pipeline.spark.error_messages import in_words

TOP = 5
MODEL = "data/06_models/phone_model.tflite"
MOST_PIXELS = 100_000_000


@click.command()
@click.argument("photos", nargs=-1, required=True)
@click.option("--model", default=MODEL, show_default=True, help="File or URL.")
def main(photos: tuple[str, ...], model: str) -> None:
    """Print a line for each of PHOTOS: the answer, and the five most probable labels.

    The exit status is 0 if all were answered, and 1 if not.
    """
    try:
        loaded = PhoneModelFile(filepath=model).load()
    except DatasetError as exc:
        raise click.ClickException(in_words(exc) or str(exc)) from exc
    said = [_answer(loaded, photo) for photo in photos]
    sys.exit(0 if all(said) else 1)


def _answer(model: PhoneModel, photo: str) -> bool:
    """Print the answer to a photo, or why there is none; say whether there is."""
    try:
        click.echo(f"{photo}: {describe(model, Path(photo).read_bytes())}")
    except OSError as exc:
        click.echo(f"{photo}: cannot be read: {exc.strerror}", err=True)
    except ValueError as exc:
        click.echo(f"{photo}: {exc}", err=True)
    else:
        return True
    return False


def describe(model: PhoneModel, content: bytes) -> str:
    """Return the answer to a photo and the most probable labels, in words.

    Args:
        model: The model.
        content: The bytes of the photo's file.

    Raises:
        ValueError: They cannot be decoded; it says why, in a line.
    """
    card = model.card
    canonical = canonicalise(content, card.short_side, MOST_PIXELS)
    if canonical.image is None:
        raise ValueError(canonical.error)
    pixels = fit(canonical.image, card.input_size, card.fit)
    (probabilities,) = model.probabilities([pixels])
    best = probabilities.argsort()[::-1][:TOP]
    top = ", ".join(f"{model.labels[i]} {probabilities[i]:.1%}" for i in best)
    sure = probabilities[best[0]] >= card.threshold
    return f"{model.labels[best[0]] if sure else UNKNOWN} ({top})"


if __name__ == "__main__":
    main()
