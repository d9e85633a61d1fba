import json
from pathlib import Path

import pandas as pd
import pytest
from factories import jpeg, write_files
from pipeline_runs import SETTINGS, KedroRun, PipelineRun, error_message

from fruits_pipeline.answers import classify_photo
from fruits_pipeline.datasets import PhoneModelFile


@pytest.fixture(scope="module")
def classified(
    first_run: PipelineRun,
    kedro_run: KedroRun,
    tmp_path_factory: pytest.TempPathFactory,
) -> PipelineRun:
    """Run the stage `classify` on a copy of the first run."""
    copy = first_run.copy(tmp_path_factory.mktemp("classified"))
    result = kedro_run("--pipelines", "classify", root=copy.root, **SETTINGS)
    assert result.exit_code == 0, result.output
    page = copy.root / "08_reporting/report.html"
    assert result.output.endswith(f"Report: {page}\n")
    assert "calibration-figure" in page.read_text()
    return copy


def test_photos_of_the_test_split_are_evaluated(classified: PipelineRun) -> None:
    text = (classified.root / "08_reporting/evaluation.json").read_text()
    found = json.loads(text)
    assert (found["labels"], found["photos"], found["unknown_photos"]) == (2, 6, 3)
    assert found["by_label"].keys() == {"Apple Red 1", "Kiwi"}


@pytest.mark.parametrize(
    "name", ["confusion.json", "wrong_answers.png", "refusals.png"]
)
def test_classifier_figure_is_written(classified: PipelineRun, name: str) -> None:
    assert (classified.root / "08_reporting" / name).stat().st_size > 1000


def test_phone_model_answers_like_the_pipeline(classified: PipelineRun) -> None:
    file = classified.root / "06_models/phone_model.tflite"
    model = PhoneModelFile(filepath=str(file)).load()
    answers = pd.read_parquet(classified.root / "08_reporting/answers.parquet")
    assert len(answers) == 6
    for row in answers.itertuples():
        answer = classify_photo(
            model, (classified.photos / str(row.path)).read_bytes(), 256
        )
        assert str(answer).startswith(
            f"{row.answer} ({row.named} {row.probability:.1%}"
        )


def test_missing_labels_are_reported(kedro_run: KedroRun, tmp_path: Path) -> None:
    photos = write_files(tmp_path / "photos", {f"{i}.jpg": jpeg(i) for i in range(3)})
    folders = {"photos": photos, "root": tmp_path / "out"}
    assert kedro_run(**folders).exit_code == 0
    message = error_message(kedro_run("--pipelines", "classify", **folders))
    assert message.startswith("Found 0 photos of 0 label(s) to learn from")
    assert "classify.training_splits" in message
