import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner, Result
from factories import PROJECT, encode, jpeg, truncated_jpeg, write_files
from PIL import Image

from fruits_pipeline import predict
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
        ("folder", None, "cannot be read: Is a directory"),
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
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"{name}: {error}")


@pytest.mark.parametrize("content", [None, b"something else"])
def test_unusable_model_is_reported(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "model.tflite"
    if content:
        file.write_bytes(content)
    result = CliRunner().invoke(predict.main, ["--model", str(file), "0.jpg"])
    assert result.exit_code == 1
    assert "kedro run --pipelines classify" in result.stderr
    assert "Traceback" not in result.output


def test_at_least_one_photo_is_required() -> None:
    result = CliRunner().invoke(predict.main, [])
    assert result.exit_code == 2
    assert "PHOTOS" in result.stderr
