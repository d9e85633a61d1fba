"""Damage each table and model in each way, find it with `check` and repair it with `mend`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from factories import TABLES

from chaos.contents import Difference, compare
from chaos.trial import Result, Trial, make_photos, run_to_end, start
from fruits_pipeline.exit_codes import USER_ERROR

PHOTOS = 120
LOGS = {f"log of {name}": f"{path}/_delta_log" for name, path in TABLES.items()}
MODELS = {"pca": "06_models/pca.npz", "map": "08_reporting/photo_map.json"}


@dataclass(frozen=True)
class Damage:
    """A kind of damage of a file.

    Attributes:
        name: Name of the kind.
        inflict: Damages a file; also given are its new content, if any, and another file.
    """

    name: str
    inflict: Callable[[Trial, Path, Path], None]


def _delete(_: Trial, file: Path, other: Path) -> None:
    file.unlink()


def _truncate(trial: Trial, file: Path, other: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: trial.random.randrange(1, len(content))])


def _empty(_: Trial, file: Path, other: Path) -> None:
    file.write_bytes(b"")


def _flip(trial: Trial, file: Path, other: Path) -> None:
    content = bytearray(file.read_bytes())
    content[trial.random.randrange(len(content))] ^= 1 << trial.random.randrange(8)
    file.write_bytes(bytes(content))


def _swap(_: Trial, file: Path, other: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(other.read_bytes())
    other.write_bytes(content)


def _replace(trial: Trial, file: Path, other: Path) -> None:
    file.write_bytes(trial.random.randbytes(file.stat().st_size))


DAMAGE = [
    Damage("delete", _delete),
    Damage("truncate", _truncate),
    Damage("empty", _empty),
    Damage("flip a bit of", _flip),
    Damage("swap two files of", _swap),
    Damage("random bytes in", _replace),
]


def run(trial: Trial) -> Iterator[Result]:
    """Damage files of copies of a root, several kinds of damage in each copy."""
    photos = make_photos(trial.folder / "photos", 0, PHOTOS)
    expected = trial.folder / "expected"
    run_to_end(photos, expected)
    # Each attempt damages all targets, each in another way.
    attempts = trial.attempts(1, len(DAMAGE))
    found: dict[str, list[_Attempt]] = {}
    for number in range(attempts):
        for name, attempt in _attempt(trial, photos, expected, number).items():
            found.setdefault(name, []).append(attempt)
    yield from (_result(name, results) for name, results in sorted(found.items()))
    yield _copies(trial, photos, expected)


@dataclass(frozen=True)
class _Attempt:
    is_found: bool
    difference: Difference
    message: str


def _targets() -> Mapping[str, str]:
    return {**TABLES, **MODELS}


def _attempt(
    trial: Trial, photos: Path, expected: Path, number: int
) -> dict[str, _Attempt]:
    """Damage one file of each target, and one log; return the result by target."""
    root = trial.folder / f"damaged{number}"
    shutil.copytree(expected, root)
    kinds: dict[str, Damage] = {}
    for position, (target, path) in enumerate(_targets().items()):
        kinds[target] = DAMAGE[(position + number) % len(DAMAGE)]
        files = _files(root / path)
        file = trial.random.choice(files)
        other = trial.random.choice([f for f in files if f != file] or [file])
        if kinds[target].name.startswith("swap") and other == file:
            kinds[target] = DAMAGE[0]
        kinds[target].inflict(trial, file, other)
    log = trial.random.choice([*LOGS])
    kinds[log] = trial.random.choice(DAMAGE[1:4])
    # The first commit contains the schema and the recipe.
    kinds[log].inflict(trial, _files(root / LOGS[log])[0], root)
    checked = start(photos, root, "--pipelines", "check")
    is_refused = checked.wait() == USER_ERROR
    report = json.loads((root / "08_reporting/check.json").read_text())
    wheres = " ".join(finding["where"] for finding in report["findings"])
    run_to_end(photos, root, "--pipelines", "mend")
    run_to_end(photos, root, "--pipelines", "check")
    difference = compare(expected, root)
    shutil.rmtree(root)
    return {
        target: _Attempt(
            is_refused and _name(target) in wheres,
            difference,
            f"{kinds[target].name} {target}",
        )
        for target in kinds
    }


def _name(target: str) -> str:
    return target.removeprefix("log of ").replace("map", "photo_map.json")


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    pattern = "*.json" if path.name == "_delta_log" else "batch=*/*.parquet"
    return sorted(path.glob(pattern))


def _result(name: str, attempts: list[_Attempt]) -> Result:
    survived = sum(a.is_found and not a.difference for a in attempts)
    lost = sum(a.difference.lost for a in attempts)
    duplicated = sum(a.difference.duplicated for a in attempts)
    kinds = ", ".join(a.message for a in attempts)
    text = f"found by check, repaired by mend: {kinds}"
    return Result(f"damaged {name}", len(attempts), survived, lost, duplicated, text)


def _copies(trial: Trial, photos: Path, expected: Path) -> Result:
    """Copy a file and a batch folder of each table, as a sync tool does."""
    root = trial.folder / "copies"
    shutil.copytree(expected, root)
    copies = []
    for path in TABLES.values():
        file = trial.random.choice(_files(root / path))
        copies.append(file.with_name(f"{file.stem} (copy).parquet"))
        shutil.copy(file, copies[-1])
        folder = root / path / f"{file.parent.name} (copy)"
        shutil.copytree(file.parent, folder)
        copies.append(folder / file.name)
    run_to_end(photos, root)
    run_to_end(photos, root, "--pipelines", "check")
    notes = json.loads((root / "08_reporting/check.json").read_text())["notes"]
    is_reported = len(notes) >= len(TABLES)
    difference = compare(expected, root)
    kept = sum(copy.exists() for copy in copies)
    survived = int(is_reported and not difference and kept == len(copies))
    text = f"{kept} of {len(copies)} copies kept, reported and ignored"
    return Result(
        "copied files and batches",
        1,
        survived,
        difference.lost,
        difference.duplicated,
        text,
    )
