"""Classify photos with a phone model: `python -m fruits_pipeline.predict PHOTO...`."""

from __future__ import annotations

import sys

import click
from kedro.io.core import DatasetError

from fruits_pipeline.datasets import PhoneModelFile
from fruits_pipeline.imaging.canonical import canonicalise
from fruits_pipeline.imaging.fitting import fit
from fruits_pipeline.io.files import read_local
from fruits_pipeline.models.classifiers import UNKNOWN, distinct_text
from fruits_pipeline.models.phone_models import PhoneModel
from fruits_pipeline.spark.error_messages import user_message

TOP_LABELS = 5
DEFAULT_MODEL = "data/06_models/phone_model.tflite"
DECODE_MEMORY_MIB = 256  # the default of the pipeline


@click.command()
@click.argument("photos", nargs=-1, required=True)
@click.option("--model", default=DEFAULT_MODEL, show_default=True, help="Path or URL.")
@click.option(
    "--decode-memory-mib",
    default=DECODE_MEMORY_MIB,
    show_default=True,
    help="Photos that need more memory are rejected.",
)
def main(photos: tuple[str, ...], model: str, decode_memory_mib: int) -> None:
    """Classify PHOTOS: print the answer and the five most probable labels of each.

    Errors go to stderr. The exit code is 0 if all photos were classified, else 1.
    """
    try:
        phone_model = PhoneModelFile(filepath=model).load()
    except DatasetError as exc:
        raise click.ClickException(user_message(exc) or str(exc)) from exc
    classified = [
        _print_answer(phone_model, photo, decode_memory_mib) for photo in photos
    ]
    sys.exit(0 if all(classified) else 1)


def _print_answer(model: PhoneModel, photo: str, max_mib: int) -> bool:
    """Print the answer or an error message; return whether there is an answer."""
    try:
        answer = classify_photo(model, read_local(photo), max_mib)
    except OSError as exc:
        click.echo(f"{photo}: cannot be read: {exc.strerror}", err=True)
    except ValueError as exc:
        click.echo(f"{photo}: {exc}", err=True)
    else:
        click.echo(f"{photo}: {answer}")
        return True
    return False


def classify_photo(model: PhoneModel, content: bytes, max_mib: int) -> str:
    """Return the answer and the most probable labels, as `answer (label 1.0%, ...)`.

    Args:
        model: The phone model.
        content: Content of the photo file.
        max_mib: Maximum memory for decoding the photo, in MiB.

    Raises:
        ValueError: If the photo cannot be decoded.
    """
    card = model.card
    canonical = canonicalise(content, card.short_side, max_mib)
    if canonical.image is None:
        raise ValueError(canonical.error)
    pixels = fit(canonical.image, card.input_size, card.fit)
    (probabilities,) = model.probabilities([pixels])
    top = probabilities.argsort()[::-1][:TOP_LABELS]
    is_known = probabilities[top[0]] >= card.threshold
    unknown = distinct_text(UNKNOWN, model.labels)
    answer = model.labels[top[0]] if is_known else unknown
    shares = ", ".join(f"{model.labels[i]} {probabilities[i]:.1%}" for i in top)
    return f"{answer} ({shares})"


if __name__ == "__main__":
    main()
