import json
import logging
import unicodedata
from pathlib import Path

import pandas as pd
import pytest
from factories import jpeg, read_table, write_files
from pipeline_runs import KedroRun, PipelineRun, run_pipeline
from plotly.io import from_json

from fruits_pipeline.answers import classify_photo, one_line
from fruits_pipeline.datasets import ClassifierFile, PhoneModelFile
from fruits_pipeline.models.phone_models import PhoneModel
from fruits_pipeline.predict import DECODE_MEMORY_MIB
from fruits_pipeline.reporting.spreadsheets import unescape_formulas

FOLDERS = [
    *(
        "a b",
        "a%20b",
        "a+b",
        "a#b",
        "a?b",
        "a:b",
        "a=b",
        "label=Apple",
        "[ab]",
        "{a,b}",
    ),
    *(
        "[red]",
        "*star",
        "_hidden",
        "a\\b",
        "Pe\u0302che",
        "🍎",
        "x" * 200,
        "tr ",
        " x",
    ),
    *(
        "None",
        "nan",
        "NaN",
        "null",
        "NA",
        "N_A",
        "1",
        "01",
        "1.0",
        "1e3",
        "True",
        "inf",
    ),
    *("unknown", "Unknown", "no label", "batch=000001", 'quote"s', "it's", "co,mma"),
    *("tab\tx", "new\nline", "return\r", "a\r\nb", "\x0b", "\x85x", "x\u2028", "\x1c"),
    *(
        "~",
        "$HOME",
        "$x$",
        "%s",
        "%2F",
        "%{x}",
        "<b>b",
        "-rf",
        "=1+1",
        "@x",
        "عربي",
        "a\u200bb",
    ),
    *("__HIVE_DEFAULT_PARTITION__", "part-00000", "s3:", "2024-01-01", "2024"),
]
LABELS = {unicodedata.normalize("NFC", folder) for folder in FOLDERS}
PHOTOS = {
    f"{split}/{folder}/{folder[:40]}{i}.jpg": jpeg(10 * n + i)
    for n, folder in enumerate(FOLDERS)
    for split, count in {"train": 3, "test": 1}.items()
    for i in range(count)
}


@pytest.fixture(scope="module")
def odd_run(
    kedro_run: KedroRun, tmp_path_factory: pytest.TempPathFactory
) -> PipelineRun:
    """Run the pipeline and the stage `classify` on photos in odd folders."""
    folder = tmp_path_factory.mktemp("odd")
    photos = write_files(folder / "photos", PHOTOS)
    run = run_pipeline(kedro_run, photos, folder / "out", ingest__photos_per_batch=4000)
    result = kedro_run("--pipelines", "classify", **run.parameters)
    assert result.exit_code == 0, result.output
    return run


@pytest.fixture(scope="module")
def phone_model(odd_run: PipelineRun) -> PhoneModel:
    file = odd_run.root / "06_models/phone_model.tflite"
    return PhoneModelFile(filepath=str(file)).load()


def test_every_label_is_the_name_of_the_folder(odd_run: PipelineRun) -> None:
    for table in ("images", "reduced"):
        rows = read_table(odd_run.root, table).select(["path", "label"]).to_pylist()
        assert len(rows) == len(PHOTOS)
        for row in rows:
            folder = row["path"].split("/")[1]
            assert row["label"] == unicodedata.normalize("NFC", folder)


def test_every_label_is_counted(odd_run: PipelineRun) -> None:
    file = odd_run.root / "08_reporting/label_counts.csv"
    stored = pd.read_csv(file, dtype={"label": str}, keep_default_na=False)
    counts = unescape_formulas(stored)
    assert len(counts) == 2 * len(LABELS)
    assert {*counts["label"]} == LABELS
    assert counts["photos"].sum() == len(PHOTOS)


def test_every_label_is_learned(odd_run: PipelineRun, phone_model: PhoneModel) -> None:
    file = odd_run.root / "06_models/classifier.npz"
    labels = ClassifierFile(filepath=str(file)).load().model.labels
    assert {*labels} == LABELS
    assert len(labels) == len(LABELS)
    assert phone_model.labels == labels


def test_every_label_is_evaluated(odd_run: PipelineRun) -> None:
    reports = odd_run.root / "08_reporting"
    by_label = json.loads((reports / "evaluation.json").read_text())["by_label"]
    assert by_label.keys() == LABELS
    assert {metrics["photos"] for metrics in by_label.values()} == {1}
    (heat,) = from_json((reports / "confusion.json").read_text()).data
    assert len({*heat.y}) == len(LABELS)
    assert len({*heat.x}) == len(LABELS) + 1
    assert heat.x[-1] == "(unknown)"


def test_phone_model_answers_like_the_pipeline(
    odd_run: PipelineRun, phone_model: PhoneModel
) -> None:
    answers = pd.read_parquet(odd_run.root / "08_reporting/answers.parquet")
    assert {*answers["label"]} == LABELS
    for row in answers.itertuples():
        content = (odd_run.photos / str(row.path)).read_bytes()
        answer = row.answer if isinstance(row.answer, str) else "(unknown)"
        found = classify_photo(phone_model, content, DECODE_MEMORY_MIB)
        named = one_line(str(row.named))
        assert str(found).startswith(f"{one_line(answer)} ({named} ")


def test_labels_above_the_fruits_are_reported(
    kedro_run: KedroRun, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = {f"a[/red]/{name}/{i}.jpg": jpeg(i) for i in range(2) for name in "ab"}
    photos = write_files(tmp_path / "photos", files)
    with caplog.at_level(logging.WARNING, "fruits_pipeline"):
        result = kedro_run(
            "--pipelines", "ingest", photos=photos, root=tmp_path / "out"
        )
    assert result.exit_code == 0, result.output
    assert "Found only the label 'a[' for 4 photo(s)" in caplog.text
    assert "'(?:.*/)?(?P<label>[^/]+)/[^/]+'" in caplog.text
