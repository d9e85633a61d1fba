import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import fsspec
import pytest
from click.testing import CliRunner, Result
from factories import BACKBONE, PROJECT, jpeg
from fake_s3 import Bucket
from kedro.framework.cli.cli import KedroCLI
from PIL import Image
from pipeline_runs import GOOD_PHOTOS, PipelineRun

Similar = Callable[..., Result]
QUERY = "Training/Kiwi/3_100.jpg"


@pytest.fixture
def similar(
    first_run: PipelineRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Similar:
    """Return a function that calls `kedro similar`, on the root of the first run."""
    monkeypatch.chdir(PROJECT)

    def run(*arguments: str | Path, **parameters: object) -> Result:
        options = {"root": first_run.root, **parameters}
        params = ",".join(f"{name}={value}" for name, value in options.items())
        sheet = ("--sheet", f"{tmp_path}/sheet.png")
        command = ["similar", *map(str, arguments), *sheet, "--params", params]
        return CliRunner().invoke(KedroCLI(PROJECT), command, prog_name="kedro")

    return run


def test_photo_of_the_collection_is_most_similar_to_itself(
    first_run: PipelineRun, similar: Similar, tmp_path: Path
) -> None:
    photo = first_run.photos / QUERY
    result = similar(photo, "--count", "5")
    assert result.exit_code == 0, result.output
    title, *lines, sheet = result.stdout.splitlines()
    assert title == f"{photo}:"
    assert lines[0] == f"  1.000  {QUERY}  (Kiwi)"
    similarities = [float(line.split()[0]) for line in lines]
    assert len(lines) == 5
    assert similarities == sorted(similarities, reverse=True)
    assert sheet == f"Contact sheet: {tmp_path}/sheet.png"
    with Image.open(tmp_path / "sheet.png") as image:
        assert min(image.size) > 200


def test_folder_is_searched_and_json_is_not_mixed_with_messages(
    first_run: PipelineRun, similar: Similar
) -> None:
    folder = first_run.photos / "Test/Kiwi"
    result = similar("--json", folder, first_run.photos / "notes.txt", "missing.jpg")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    paths = [path for path in sorted(GOOD_PHOTOS) if path.startswith("Test/Kiwi/")]
    *found, text, missing = found
    assert [entry["path"] for entry in found] == [
        f"{first_run.photos}/{path}" for path in paths
    ]
    assert [entry["similar"][0]["path"] for entry in found] == paths
    assert text.keys() == missing.keys() == {"path", "error"}
    assert "notes.txt: " in result.stderr
    assert "missing.jpg: cannot be read: No such file" in result.stderr


def test_other_photo_is_compared(similar: Similar, tmp_path: Path) -> None:
    (tmp_path / "other.jpg").write_bytes(jpeg(999))
    result = similar("--json", "--count", "50", tmp_path / "other.jpg")
    assert result.exit_code == 0, result.output
    ((entry),) = json.loads(result.stdout)
    assert len(entry["similar"]) == len(GOOD_PHOTOS)
    assert entry["similar"][0]["similarity"] < 1


def test_root_in_s3_is_read(
    first_run: PipelineRun,
    similar: Similar,
    bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    url = f"s3://{bucket.name}/root"
    fsspec.filesystem("s3").put(f"{first_run.root}/", f"{url}/", recursive=True)
    result = similar(first_run.photos / QUERY, root=url)
    assert result.exit_code == 0, result.output
    assert f"  1.000  {QUERY}  (Kiwi)" in result.stdout


def test_memory_for_decoding_is_limited(similar: Similar, tmp_path: Path) -> None:
    Image.new("RGB", (4000, 4000)).save(tmp_path / "large.png")
    result = similar("--decode-memory-mib", "40", tmp_path / "large.png")
    assert result.exit_code == 1
    assert "expected at most decode_memory_mib = 40" in result.stderr


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("06_models/pca.npz", "Found no PCA in "),
        ("07_model_output/reduced", "Found no table in "),
        ("03_primary/images", "Found no table in "),
    ],
)
def test_missing_result_is_reported(
    copy: PipelineRun, similar: Similar, change: str, expected: str
) -> None:
    path = copy.root / change
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    result = similar(copy.photos / QUERY, root=copy.root)
    assert result.exit_code == 2
    assert expected in result.stderr
    assert "Traceback" not in result.output


def test_other_backbone_is_reported(
    first_run: PipelineRun, similar: Similar, tmp_path: Path
) -> None:
    folder = shutil.copytree(BACKBONE, tmp_path / "other")
    model, card = folder / "backbone.tflite", folder / "card.json"
    old = json.loads(card.read_text())
    model.write_bytes(model.read_bytes() + b"-")
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    card.write_text(json.dumps(old | {"sha256": digest}))
    result = similar(first_run.photos / QUERY, backbone_folder=folder)
    assert result.exit_code == 2
    assert "expected that of the features" in result.stderr
