import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner, Result
from factories import PROJECT, encode, jpeg, truncated_jpeg, write_files
from kedro.framework.project import configure_project
from PIL import Image

from fruits_pipeline import phone_model_choice, predict
from fruits_pipeline.answers import PhotoAnswer
from fruits_pipeline.datasets import PhoneModelFile
from fruits_pipeline.imaging.fitting import fit
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.models.classifiers import Classifier
from fruits_pipeline.models.moments import moments_of
from fruits_pipeline.models.pca import fit as fit_pca
from fruits_pipeline.models.phone_models import PhoneCard, fuse

LABELS = ("Apple", "Banana", "Cherry", "Fig", "Kiwi", "Lime")
PHOTOS = {f"{i}.jpg": jpeg(i) for i in range(4)}

Predict = Callable[..., Result]


@pytest.fixture(
    scope="module", params=[0.0, 1.1], ids=["always answered", "never answered"]
)
def model(
    request: pytest.FixtureRequest,
    backbone: Backbone,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    size = backbone.card.input_size
    features = [*backbone.embed(fit(jpeg(i), size, "pad") for i in range(8))]
    pca = fit_pca(moments_of(np.array(features)), 0.9, False, None)
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(len(pca.components), len(LABELS)))
    classifier = Classifier(LABELS, weights, np.zeros(len(LABELS)), request.param)
    card = PhoneCard(
        input_size=size,
        fit="pad",
        short_side=256,
        threshold=request.param,
        backbone=backbone.card.sha256,
        pca=pca.digest,
    )
    file = tmp_path_factory.mktemp("model") / "phone_model.tflite"
    fused = fuse(backbone.model, pca, classifier, card)
    PhoneModelFile(filepath=str(file)).save(fused)
    return file


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the project folder, which is the working directory of the test."""
    configure_project("fruits_pipeline")
    monkeypatch.chdir(PROJECT)
    return PROJECT


@pytest.fixture
def run_predict(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Predict:
    monkeypatch.chdir(write_files(tmp_path / "photos", PHOTOS))

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(predict.main, ["--model", str(model), *arguments])

    return run


def test_line_has_the_five_most_probable_labels(run_predict: Predict) -> None:
    result = run_predict(*PHOTOS)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert len(lines) == len(PHOTOS)
    for line, path in zip(lines, PHOTOS, strict=True):
        assert line.startswith(f"{path}: ")
        top = line[line.index("(") + 1 : -1].split(", ")
        shares = [float(word.split()[-1].rstrip("%")) for word in top]
        assert len(top) == 5
        assert shares == sorted(shares, reverse=True)


def test_answer_is_the_best_label_or_unknown(run_predict: Predict, model: Path) -> None:
    (line,) = run_predict("0.jpg").stdout.splitlines()
    answer, best = line.removeprefix("0.jpg: ").split(" (")
    threshold = PhoneModelFile(filepath=str(model)).load().card.threshold
    assert answer == (best.split()[0] if threshold == 0 else "unknown")


def test_memory_for_decoding_is_limited(run_predict: Predict) -> None:
    Path("large.png").write_bytes(encode(Image.new("RGB", (3000, 2000))))
    assert run_predict("large.png").exit_code == 0
    result = run_predict("--decode-memory-mib", "40", "large.png")
    assert result.exit_code == 1
    assert "expected at most decode_memory_mib = 40" in result.stderr


def test_default_memory_limit_is_that_of_the_pipeline() -> None:
    file = PROJECT / "conf/base/parameters_preprocess.yml"
    parameters = yaml.safe_load(file.read_text())["preprocess"]
    assert parameters["decode_memory_mib"] == predict.DECODE_MEMORY_MIB


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("truncated.jpg", truncated_jpeg(1), "damaged JPEG: "),
        (
            "document.pdf",
            b"%PDF-1.7\n%\xe2\xe3",
            "PDF document; expected JPEG, PNG, ",
        ),
        ("empty.jpg", b"", "empty file (0 bytes)"),
        ("folder", None, "is empty; expected photos"),
        ("missing.jpg", None, "cannot be read: No such file"),
        ("fifo.jpg", None, "cannot be read: Not a regular file"),
    ],
)
def test_error_of_one_photo_does_not_stop_the_others(
    run_predict: Predict, name: str, content: bytes | None, error: str
) -> None:
    if content is not None:
        Path(name).write_bytes(content)
    elif name == "folder":
        Path(name).mkdir()
    elif name == "fifo.jpg":
        os.mkfifo(name)
    result = run_predict("0.jpg", name, "1.jpg")
    assert result.exit_code == 1
    assert [line[:6] for line in result.stdout.splitlines()] == ["0.jpg:", "1.jpg:"]
    _, line = result.stderr.splitlines()
    assert line.startswith(f"{name}: {error}")


def test_folders_are_searched(run_predict: Predict) -> None:
    for name in ("a/b/1.JPG", "a/2.jpeg", "a/.hidden/3.jpg", "a/notes.txt"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(jpeg(1))
    result = run_predict("a")
    assert result.exit_code == 0, result.output
    paths = [line.partition(": ")[0] for line in result.stdout.splitlines()]
    assert paths == ["a/2.jpeg", "a/b/1.JPG"]


def test_folder_without_photos_is_reported(run_predict: Predict) -> None:
    Path("texts").mkdir()
    Path("texts/notes.txt").write_bytes(b"-")
    result = run_predict("texts")
    assert result.exit_code == 1
    assert (
        "texts: contains no photos, but 1 .txt (such as 'notes.txt')" in result.stderr
    )


def test_json_contains_answers_and_errors(run_predict: Predict) -> None:
    Path("text.jpg").write_bytes(b"text")
    result = run_predict("--json", "0.jpg", "text.jpg", "s3://bucket/1.jpg")
    assert result.exit_code == 1
    answer, *errors = json.loads(result.stdout)
    assert answer["path"] == "0.jpg"
    assert answer["answer"] in (*LABELS, "unknown")
    assert answer["is_known"] == (answer["answer"] in LABELS)
    assert len(answer["labels"]) == 5
    assert [entry.keys() for entry in errors] == [{"path", "error"}] * 2


def test_csv_has_a_row_for_each_photo(run_predict: Predict) -> None:
    name = "=1+1,\n.jpg"
    Path(name).write_bytes(jpeg(1))
    result = run_predict("--csv", "0.jpg", "missing.jpg", name)
    rows = [*csv.DictReader(io.StringIO(result.stdout))]
    assert [row["path"] for row in rows] == ["0.jpg", "missing.jpg", f"'{name}"]
    assert [bool(row["error"]) for row in rows] == [False, True, False]
    assert rows[0]["label"] in LABELS


def test_names_are_shown_on_one_line(run_predict: Predict) -> None:
    Path("a\nb\x1b.jpg").write_bytes(jpeg(1))
    (line,) = run_predict("a\nb\x1b.jpg").stdout.splitlines()
    assert line.startswith("a\\nb\\x1b.jpg: ")


def test_label_with_line_breaks_is_shown_on_one_line() -> None:
    answer = PhotoAnswer("a.jpg", "Red\nApple", True, (("Red\nApple", 1.0),))
    assert str(answer) == "Red Apple (Red Apple 100.0%)"


def test_model_is_named(run_predict: Predict, model: Path) -> None:
    (line,) = run_predict("0.jpg").stderr.splitlines()
    assert line.startswith(f"Model: {model} (6 labels, written 20")


@pytest.mark.usefixtures("project")
def test_model_of_the_root_is_used(model: Path, tmp_path: Path) -> None:
    photo, root = tmp_path / "1.jpg", tmp_path / "the root"
    photo.write_bytes(jpeg(1))
    arguments = [str(photo), "--params", f"root={root}"]
    result = CliRunner().invoke(predict.main, arguments)
    assert result.exit_code == 2
    assert f"Found no phone model in {root}/06_models/phone_model" in result.stderr
    shutil.copytree(model.parent, root / "06_models")
    result = CliRunner().invoke(predict.main, arguments)
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith(f"Model: {root}/06_models/phone_model.tflite (6 la")


def test_shipped_model_is_used_before_anything_is_classified(
    project: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = tmp_path / "1.jpg"
    photo.write_bytes(jpeg(1))
    shipped = tmp_path / "shipped.tflite"
    monkeypatch.setattr(phone_model_choice, "SHIPPED_MODEL", str(shipped))
    settings = f"photos: x\nroot: {tmp_path}/out\nbackbone_folder: x\n"
    conf = write_files(tmp_path / "conf", {"local/globals.yml": settings.encode()})
    shutil.copytree(project / "conf/base", conf / "base")
    arguments = [str(photo), "--conf-source", str(conf)]
    result = CliRunner().invoke(predict.main, arguments)
    assert result.exit_code == 2
    assert f"and none that the project ships in {shipped}" in result.stderr
    shutil.copy(model, shipped)
    result = CliRunner().invoke(predict.main, arguments)
    assert result.exit_code == 0, result.output
    assert f"nothing was classified in {tmp_path}/out yet" in result.stderr


def test_output_outside_of_the_project_contains_results_only(
    model: Path, tmp_path: Path
) -> None:
    (tmp_path / "1.jpg").write_bytes(jpeg(1))
    command = [sys.executable, "-m", "fruits_pipeline.predict", "--json", "1.jpg"]
    done = subprocess.run(
        [*command, "--model", str(model)],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)[0]["path"] == "1.jpg"


def test_folder_as_model_is_reported(tmp_path: Path) -> None:
    result = CliRunner().invoke(predict.main, ["--model", str(tmp_path), "0.jpg"])
    assert result.exit_code == 2
    assert f"Found a folder, and no file, in {tmp_path}; expected" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("content", [None, b"something else"])
def test_unusable_model_is_reported(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "model.tflite"
    if content:
        file.write_bytes(content)
    result = CliRunner().invoke(predict.main, ["--model", str(file), "0.jpg"])
    assert result.exit_code == 2
    assert "kedro run --pipelines classify" in result.stderr
    assert "Traceback" not in result.output


def test_at_least_one_photo_is_required() -> None:
    result = CliRunner().invoke(predict.main, [])
    assert result.exit_code == 2
    assert "PHOTOS" in result.stderr
