"""The command `kedro similar`: the photos of the collection that are most similar."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import click
import numpy as np

from fruits_pipeline.answers import one_line, shown
from fruits_pipeline.datasets.collection import Collection, open_collection
from fruits_pipeline.hooks.errors import raise_for_user
from fruits_pipeline.io.photo_files import find_photos, read_photo_file
from fruits_pipeline.models.similarity import cosine_similarities, most_similar
from fruits_pipeline.reporting.similar_sheet import (
    MAX_ROWS,
    SheetPhoto,
    similar_sheet,
)
from fruits_pipeline.session_options import Options


@dataclass(frozen=True)
class SimilarPhotos:
    """The photos that are similar to a photo, the most similar first.

    Attributes:
        path: Path of the photo.
        image: Canonical photo.
        positions: Rows of the similar photos in the collection.
        similarities: Cosine similarity of each.
    """

    path: str
    image: bytes
    positions: np.ndarray
    similarities: np.ndarray


@dataclass(frozen=True)
class FailedPhoto:
    """A photo that cannot be compared."""

    path: str
    error: str


@dataclass(frozen=True)
class Search:
    """Options of the search.

    Attributes:
        count: Number of similar photos.
        decode_memory_mib: Maximum memory for decoding a photo; None for the parameter
            with which the collection was decoded.
        sheet: Path of the contact sheet.
        as_json: Whether to print JSON.
    """

    count: int
    decode_memory_mib: int | None
    sheet: str
    as_json: bool


def find_similar(names: Sequence[str], options: Options, search: Search) -> bool:
    """Print the most similar photos of each photo, and write a contact sheet.

    Args:
        names: Paths of photos and folders.
        options: Options of the command.
        search: Options of the search.

    Returns:
        Whether all photos could be compared.

    Raises:
        click.ClickException: The tables or models are missing, or do not belong together.
    """
    try:
        collection = _open(options)
        results = _compare_all(collection, names, search)
        found = [result for result in results if isinstance(result, SimilarPhotos)]
        if search.as_json:
            objects = [_to_object(collection, result) for result in results]
            click.echo(json.dumps(objects, indent=2))
        else:
            _print(collection, found)
        if found:
            _write_sheet(collection, found, search.sheet)
            click.echo(f"Contact sheet: {search.sheet}", err=search.as_json)
    except Exception as exc:
        raise_for_user(exc)
    return len(found) == len(results)


def _open(options: Options) -> Collection:
    names = ("reduced@pandas", "images@counts", "pca", "backbone")
    reduced, images, pca, backbone = options.datasets(*names)
    return open_collection(reduced.filepath, images.filepath, pca, backbone)


def _compare_all(
    collection: Collection, names: Sequence[str], search: Search
) -> list[SimilarPhotos | FailedPhoto]:
    """Return the similar photos of each photo, or its error, which is also printed."""
    results: list[SimilarPhotos | FailedPhoto] = []
    for path, problem in find_photos(names):
        try:
            if problem:
                raise ValueError(problem)
            results.append(_compare(collection, path, search))
        except ValueError as exc:
            failed = FailedPhoto(path, one_line(str(exc)))
            click.echo(f"{shown(path)}: {failed.error}", err=True)
            results.append(failed)
    return results


def _compare(collection: Collection, path: str, search: Search) -> SimilarPhotos:
    """Return the photos that are similar to a file.

    Raises:
        ValueError: The file cannot be read or decoded.
    """
    content = read_photo_file(path)
    image, vector = collection.embed(content, search.decode_memory_mib)
    similarities = cosine_similarities(vector, collection.vectors)
    is_same = collection.is_same(content)
    similarities[is_same] = 1  # instead of 0.9999999
    positions = most_similar(similarities, is_same, search.count)
    return SimilarPhotos(path, image, positions, similarities[positions])


def _rows(collection: Collection, found: SimilarPhotos) -> list[dict[str, Any]]:
    rows = collection.rows.select(["path", "label"]).take(found.positions).to_pylist()
    return [
        row | {"similarity": round(float(s), 4)}
        for row, s in zip(rows, found.similarities, strict=True)
    ]


def _to_object(
    collection: Collection, found: SimilarPhotos | FailedPhoto
) -> dict[str, Any]:
    if isinstance(found, FailedPhoto):
        return asdict(found)
    return {"path": found.path, "similar": _rows(collection, found)}


def _print(collection: Collection, found: Sequence[SimilarPhotos]) -> None:
    for photo in found:
        click.echo(f"{shown(photo.path)}:")
        for row in _rows(collection, photo):
            label = f"  ({one_line(row['label'])})" if row["label"] else ""
            click.echo(f"  {row['similarity']:.3f}  {shown(row['path'])}{label}")


def _write_sheet(
    collection: Collection, found: Sequence[SimilarPhotos], sheet: str
) -> None:
    """Write the contact sheet of the first photos as PNG."""
    drawn = found[:MAX_ROWS]
    images = collection.read_images(np.concatenate([f.positions for f in drawn]))
    rows = []
    for photo in found:
        others = [
            SheetPhoto(row["path"], _caption(row), images.get(int(position)))
            for row, position in zip(
                _rows(collection, photo), photo.positions, strict=True
            )
        ]
        rows.append((SheetPhoto(photo.path, "", photo.image), others))
    similar_sheet(rows).savefig(sheet, format="png")


def _caption(row: dict[str, Any]) -> str:
    label = f" {row['label']}" if row["label"] else ""
    return f"{row['similarity']:.3f}{label}"
