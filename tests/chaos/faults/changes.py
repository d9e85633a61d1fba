"""Change the photos at random between runs, and compare the tables with those of a first run."""

from __future__ import annotations

import os
import shutil
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from click.testing import CliRunner
from factories import PROJECT, jpeg, replace_file, write_files
from kedro.framework.cli.cli import KedroCLI

from chaos.contents import Difference, compare
from chaos.trial import Result, Trial, make_photos, parameters_of

PHOTOS = 40
LABELS = ("Apple", "Kiwi", "Fig", "Lime", "Açaí")
PARAMETERS = {
    "reduce__refit": "always",
    "ingest__max_gone_rate": 1,
    "preprocess__max_error_rate": 1,
}


@dataclass
class Collection:
    """A photo root that changes.

    Attributes:
        trial: Settings of the attempts.
        folder: The photo root.
        created: Number of different photos that were ever written.
    """

    trial: Trial
    folder: Path
    created: int = PHOTOS

    def files(self) -> list[Path]:
        """Return all photos."""
        return sorted(file for file in self.folder.rglob("*") if file.is_file())

    def choose(self) -> Path:
        """Return a random photo."""
        return self.trial.random.choice(self.files())

    def new_path(self) -> Path:
        """Return a random path without a photo."""
        random = self.trial.random
        split, label = random.choice(("Training", "Test")), random.choice(LABELS)
        path = self.folder / split / label / f"{random.getrandbits(32)}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def new_photo(self) -> bytes:
        """Return a photo that was never written before; every tenth is corrupt."""
        self.created += 1
        content = jpeg(self.created)
        return content if self.created % 10 else content[: len(content) // 2]


def _add(photos: Collection) -> None:
    photos.new_path().write_bytes(photos.new_photo())


def _delete(photos: Collection) -> None:
    photos.choose().unlink()


def _move(photos: Collection) -> None:
    photos.choose().rename(photos.new_path())


def _copy(photos: Collection) -> None:
    shutil.copy2(photos.choose(), photos.new_path())


def _change(photos: Collection) -> None:
    replace_file(photos.choose(), photos.new_photo())


def _swap(photos: Collection) -> None:
    first, second, third = photos.choose(), photos.choose(), photos.new_path()
    first.rename(third)
    if first != second:
        second.rename(first)
    third.rename(second)


def _move_and_replace(photos: Collection) -> None:
    path = photos.choose()
    path.rename(photos.new_path())
    write_files(path.parent, {path.name: photos.new_photo()})


def _move_and_change(photos: Collection) -> None:
    path = photos.new_path()
    photos.choose().rename(path)
    replace_file(path, photos.new_photo())


def _rename_folder(photos: Collection) -> None:
    folder = photos.choose().parent
    folder.rename(folder.with_name(f"Renamed {photos.trial.random.getrandbits(16)}"))


def _change_normal_form(photos: Collection) -> None:
    path = photos.choose()
    form = "NFD" if unicodedata.is_normalized("NFC", f"{path}é") else "NFC"
    name = unicodedata.normalize(form, f"é{path.name}"[-40:])
    path.rename(path.with_name(name))


def _change_case(photos: Collection) -> None:
    path = photos.choose()
    path.rename(path.with_name(path.name.swapcase()))


def _restore_extension(photos: Collection) -> None:
    """Rename a photo so that it is left out, or back."""
    path = photos.choose()
    is_photo = path.suffix.lower() == ".jpg"
    path.rename(
        path.with_name(path.name + ".bak") if is_photo else path.with_suffix("")
    )


CHANGES: list[Callable[[Collection], None]] = [
    *(_add, _delete, _move, _copy, _change, _swap, _move_and_replace),
    *(_move_and_change, _rename_folder, _change_normal_form, _change_case),
    _restore_extension,
]


def run_in_process(photos: Path, root: Path, **parameters: object) -> str:
    """Run the pipeline in this process; return the error message, if it fails."""
    text = parameters_of(photos, root, **{**PARAMETERS, **parameters})
    result = CliRunner().invoke(KedroCLI(PROJECT), ["run", "--params", text])
    return "" if result.exit_code == 0 else result.output.strip()[-500:]


def add_gone(photos: Collection, expected: Path) -> None:
    """Update the photos that a run with `ingest.gone=keep` has rows of.

    Args:
        photos: The photo root.
        expected: Folder of these photos, with the content of the last run.
    """
    listed = {file.relative_to(photos.folder): file for file in photos.files()}
    listed = {p: file for p, file in listed.items() if p.suffix.lower() == ".jpg"}
    digests = {sha256(file.read_bytes()).digest() for file in listed.values()}
    for file in [file for file in expected.rglob("*") if file.is_file()]:
        if sha256(file.read_bytes()).digest() in digests:
            file.unlink()
    for path, file in listed.items():
        (expected / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, expected / path)


def run_steps(trial: Trial, gone: str) -> Iterator[tuple[Difference, str]]:
    """Change photos and run, several times; yield the difference after each run."""
    folder = trial.folder / gone
    photos = Collection(trial, make_photos(folder / "photos", 0, PHOTOS))
    kept, root = folder / "kept", folder / "root"
    message = run_in_process(photos.folder, root, ingest__gone=gone)
    assert not message, message
    add_gone(photos, kept)
    for step in range(trial.attempts(2, 50)):
        changes = trial.random.sample(CHANGES, 4)
        for change in changes:
            change(photos)
        add_gone(photos, kept)
        message = run_in_process(photos.folder, root, ingest__gone=gone)
        expected = kept if gone == "keep" else photos.folder
        fresh = folder / f"fresh{step}"
        message = message or run_in_process(expected, fresh)
        difference = compare(fresh, root)
        names = ", ".join(change.__name__ for change in changes)
        yield difference, f"{names}: {message}" if message or difference else ""
        shutil.rmtree(fresh, ignore_errors=True)


def run(trial: Trial) -> Iterator[Result]:
    """Change photos with each value of `ingest.gone`, and yield one result for each."""
    os.environ["PYTHONPATH"] = os.pathsep.join([f"{PROJECT}/src", f"{PROJECT}/tests"])
    for gone in ("keep", "delete"):
        found = [*run_steps(trial, gone)]
        total = sum((difference for difference, _ in found), Difference())
        messages = [message for _, message in found if message]
        yield Result(
            f"photos added, moved, changed and deleted; ingest.gone={gone}",
            len(found),
            len(found) - len(messages),
            total.lost,
            total.duplicated,
            "; ".join(messages) or "tables equal those of a first run",
        )
