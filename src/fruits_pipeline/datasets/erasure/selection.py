"""Find the photos to erase in the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline.datasets.delta.erasure import Targets
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.files import is_local, resolve
from fruits_pipeline.io.forgotten import ForgottenPhotos
from fruits_pipeline.io.listing import ListedFile
from fruits_pipeline.io.search_terms import SearchTerms

Logs = Mapping[str, DeltaLog]
"""The tables that exist below a root, by name."""

KEYED = ("photos", "images", "quality", "features", "reduced")
"""Tables with one row per photo. Rows are erased in this order, so that a run after an
interrupted erasure cannot compute erased rows again."""

_SHOWN = 5
"""Number of unknown arguments in the error message."""


@dataclass(frozen=True)
class Selection:
    """The photos to erase.

    Attributes:
        targets: Paths and ids to erase from all tables.
        missing: Arguments that no table contains.
        paths: Paths of the photos to erase.
        remaining: Paths in the tables that are not erased.
        stored: Those in the table `photos`.
        argument_paths: Arguments that can be paths, relative to the photo root.
    """

    targets: Targets
    missing: tuple[str, ...]
    paths: frozenset[str]
    remaining: frozenset[str]
    stored: frozenset[str]
    argument_paths: frozenset[str]


def select(
    logs: Logs,
    arguments: Sequence[str],
    begun: SearchTerms,
    forgotten: ForgottenPhotos,
    photo_root: str,
) -> Selection:
    """Find photos by path or `photo_id`, and all other paths with the same bytes.

    Photos that are in the list of erased photos are found too, for example after an
    older version of the tables was restored from a backup.

    Args:
        logs: The tables.
        arguments: Paths relative to the photo root or below it, or ids.
        begun: What an interrupted erasure searches for.
        forgotten: The erased photos.
        photo_root: Path or URL of the photo root.

    Raises:
        FruitsError: A file of a table is missing or damaged.
    """
    paths = {name: strip_root(name, photo_root) for name in arguments}
    names = pa.array({*arguments, *paths.values()}, pa.string())
    given_ids = pa.array(
        {*begun.ids, *(name.lower() for name in arguments)}, pa.string()
    )
    tables = [_read_keys(logs[name]) for name in KEYED if name in logs]
    by_path, by_id, ids = set[str](), set[str](), {*_forgotten_ids(tables, forgotten)}
    for keys in tables:
        is_named = pc.is_in(keys["path"], names)
        by_path |= {*keys["path"].filter(is_named).to_pylist()}
        ids |= {*keys["photo_id"].filter(is_named).drop_null().to_pylist()}
        is_given = pc.is_in(keys["photo_id"], given_ids)
        by_id |= {*keys["photo_id"].filter(is_given).to_pylist()}
        is_unread = pc.is_in(keys["path"], pa.array(begun.paths, pa.string()))
        unread = keys.filter(pc.and_(is_unread, pc.is_null(keys["photo_id"])))
        by_path |= {*unread["path"].to_pylist()}
    if "photos" in logs:
        by_path |= {*_forgotten_files(logs["photos"], forgotten)}
    targets = Targets(frozenset(by_path), frozenset(ids | by_id))
    erased, kept = _divide(tables, targets)
    return Selection(
        targets,
        tuple(
            a for a in arguments if not by_path & {a, paths[a]} | by_id & {a.lower()}
        ),
        frozenset().union(*erased),
        frozenset().union(*kept),
        kept[0] if "photos" in logs else frozenset(),
        frozenset(paths.values()),
    )


def strip_root(path: str, photo_root: str) -> str:
    """Return a path relative to the photo root, if it is below it."""
    roots = [photo_root]
    if is_local(photo_root):
        roots.append(resolve(photo_root)[1])  # absolute
    for root in roots:
        path = path.removeprefix(f"{root.rstrip('/')}/")
    return path.removeprefix("./")


def check_found(
    selection: Selection,
    forgotten: ForgottenPhotos,
    photo_root: str,
    list_files: Callable[[], Iterable[ListedFile]],
) -> None:
    """Raise if an argument is neither in a table nor erased already.

    Args:
        selection: Result of `select`.
        forgotten: The erased photos.
        photo_root: Path or URL of the photo root.
        list_files: Lists the photo root; called only if it is needed.

    Raises:
        FruitsError: With the arguments that were not found.
    """
    unknown = [
        name
        for name in selection.missing
        if not forgotten.has_photo(name.lower())
        and not forgotten.has_argument(name, strip_root(name, photo_root))
    ]
    if unknown:
        erased = {file.path for file in list_files() if forgotten.has_file(file)}
        unknown = [name for name in unknown if name not in erased]
    if unknown:
        more = "" if len(unknown) <= _SHOWN else f" and {len(unknown) - _SHOWN} others"
        raise FruitsError(
            "Found no photo with the path or photo_id "
            f"{', '.join(map(repr, unknown[:_SHOWN]))}{more}; expected paths relative to "
            "`photos` as in the column `path`, or values of `photo_id`. Nothing was "
            "changed. Correct or remove these arguments; photos that are erased already "
            "and no longer exist in `photos` are not known by path."
        )


def _read_keys(log: DeltaLog) -> pa.Table:
    return log.read(log.files, ["path", "photo_id"])


def _forgotten_ids(
    tables: Iterable[pa.Table], forgotten: ForgottenPhotos
) -> Iterable[str]:
    if forgotten.photos:
        for keys in tables:
            ids = keys["photo_id"].drop_null().unique().to_pylist()
            yield from filter(forgotten.has_photo, ids)


def _forgotten_files(log: DeltaLog, forgotten: ForgottenPhotos) -> list[str]:
    """Return the paths of forgotten photos that could not be read, and have no id."""
    files = [file for file in log.files if file.errors]
    if not forgotten.photos or not files:
        return []
    rows = log.read(files, [*ListedFile._fields, "photo_id"])
    unread: list[dict[str, Any]] = rows.filter(rows["photo_id"].is_null()).to_pylist()
    listed = [ListedFile(**{n: row[n] for n in ListedFile._fields}) for row in unread]
    return [file.path for file in listed if forgotten.has_file(file)]


def _divide(
    tables: Iterable[pa.Table], targets: Targets
) -> tuple[list[frozenset[str]], list[frozenset[str]]]:
    """Return the paths in each table that are erased, and those that are not."""
    erased, kept = [], []
    for keys in tables:
        matches = targets.matches(keys)
        erased.append(frozenset(keys["path"].filter(matches).to_pylist()))
        kept.append(frozenset(keys["path"].filter(pc.invert(matches)).to_pylist()))
    return erased, kept
