"""Answers of a phone model to photos, as text, JSON or CSV."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from fruits_pipeline.redaction import printable

if TYPE_CHECKING:
    from fruits_pipeline.models.phone_models import PhoneModel

TOP_LABELS = 5


@dataclass(frozen=True)
class PhotoAnswer:
    """The answer to a photo, or the reason why there is none.

    Attributes:
        path: Path of the photo.
        answer: The answer: a label, or the text for an unknown one; None with an error.
        is_known: Whether the answer is a label.
        labels: The most probable labels, with their probabilities, descending.
        error: Why there is no answer.
    """

    path: str
    answer: str | None = None
    is_known: bool = False
    labels: tuple[tuple[str, float], ...] = ()
    error: str | None = None

    @property
    def shown_path(self) -> str:
        """The path as `shown`."""
        return shown(self.path)

    def __str__(self) -> str:
        """Return the answer and the most probable labels: `answer (label 1.0%, ...)`."""
        shares = ", ".join(f"{one_line(name)} {p:.1%}" for name, p in self.labels)
        return f"{one_line(self.answer or '')} ({shares})"


def shown(path: str) -> str:
    """Return a path without characters that control a terminal, on one line."""
    return printable(path).replace("\n", "\\n").replace("\t", "\\t")


def one_line(label: str) -> str:
    """Return a label on one line: each run of white space becomes one space."""
    return printable(" ".join(label.split()))


def classify_file(
    model: PhoneModel, path: str, max_mib: int, problem: str | None = None
) -> PhotoAnswer:
    """Return the answer to a photo.

    Args:
        model: The phone model.
        path: Path of the file.
        max_mib: Maximum memory for decoding the photo, in MiB.
        problem: Why the file cannot be used, if that is known.
    """
    from fruits_pipeline.io.photo_files import read_photo_file

    if problem:
        return PhotoAnswer(path, error=printable(problem))
    try:
        return classify_photo(model, read_photo_file(path), max_mib, path)
    except ValueError as exc:
        return PhotoAnswer(path, error=printable(str(exc)))


def classify_photo(
    model: PhoneModel, content: bytes, max_mib: int, path: str = ""
) -> PhotoAnswer:
    """Return the answer and the most probable labels.

    Args:
        model: The phone model.
        content: Content of the photo file.
        max_mib: Maximum memory for decoding the photo, in MiB.
        path: Path of the photo.

    Raises:
        ValueError: If the photo cannot be decoded.
    """
    from fruits_pipeline.imaging.canonical import canonicalise
    from fruits_pipeline.imaging.fitting import fit
    from fruits_pipeline.models.classifiers import UNKNOWN, distinct_text

    card = model.card
    canonical = canonicalise(content, card.short_side, max_mib)
    if canonical.image is None:
        raise ValueError(canonical.error)
    pixels = fit(canonical.image, card.input_size, card.fit)
    (probabilities,) = model.probabilities([pixels])
    top = probabilities.argsort()[::-1][:TOP_LABELS]
    is_known = bool(probabilities[top[0]] >= card.threshold)
    unknown = distinct_text(UNKNOWN, model.labels)
    answer = model.labels[top[0]] if is_known else unknown
    labels = tuple((model.labels[i], float(probabilities[i])) for i in top)
    return PhotoAnswer(path, answer, is_known, labels)


def write_text(answers: Iterable[PhotoAnswer]) -> None:
    """Print a line for each photo with an answer."""
    for answer in answers:
        if not answer.error:
            click.echo(f"{answer.shown_path}: {answer}")


def write_json(answers: Iterable[PhotoAnswer]) -> None:
    """Print an array with an object for each photo."""
    click.echo(json.dumps([*map(_to_object, answers)], indent=2))


def _to_object(answer: PhotoAnswer) -> dict[str, Any]:
    if answer.error:
        return {"path": answer.path, "error": answer.error}
    return {
        "path": answer.path,
        "answer": answer.answer,
        "is_known": answer.is_known,
        "labels": [{"label": name, "probability": p} for name, p in answer.labels],
    }


def write_csv(answers: Iterable[PhotoAnswer]) -> None:
    """Print a row for each photo. Text that a spreadsheet could execute is escaped."""
    from fruits_pipeline.reporting.spreadsheets import escape_text

    writer = csv.writer(sys.stdout, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(["path", "answer", "is_known", "label", "probability", "error"])
    for answer in answers:
        label, probability = (answer.labels or (("", ""),))[0]
        path = answer.path.encode(errors="surrogateescape").decode(errors="replace")
        known = str(answer.is_known).lower()
        texts = [path, answer.answer or "", known, label]
        row = [*map(escape_text, texts), probability, escape_text(answer.error or "")]
        writer.writerow(row)
