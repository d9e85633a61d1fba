import os
from pathlib import Path

import pandas as pd
import pytest
from factories import jpeg, truncated_jpeg, write_files
from pipeline_runs import SETTINGS, KedroRun, PipelineRun, error_message


@pytest.fixture
def one_photo(tmp_path: Path) -> Path:
    return write_files(tmp_path / "photos", {"Kiwi/0.jpg": jpeg(0)})


def test_missing_photo_root_is_reported(kedro_run: KedroRun, tmp_path: Path) -> None:
    message = error_message(kedro_run(photos=tmp_path / "gone", root=tmp_path / "out"))
    assert f"Found no such photo folder {tmp_path}/gone; expected photos" in message
    assert "--params photos=" in message
    assert not (tmp_path / "out").exists()


def test_empty_photo_root_is_reported(kedro_run: KedroRun, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    message = error_message(kedro_run(photos=tmp_path / "empty", root=tmp_path / "out"))
    assert f"Found an empty photo folder {tmp_path}/empty; expected photos" in message


def test_folder_without_photos_is_reported(kedro_run: KedroRun, tmp_path: Path) -> None:
    photos = write_files(tmp_path / "texts", {"notes.txt": b"-", "more.txt": b"-"})
    message = error_message(kedro_run(photos=photos, root=tmp_path / "out"))
    assert f"Found no photo in {photos}, but other files: 2 .txt (such as" in message
    assert "'more.txt', 'notes.txt')" in message
    assert "extensions jpg, jpeg, " in message
    assert "--params photos=..., or ingest.extensions" in message


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"photoes": "x"}, "photoes: there is no such parameter; did you mean photos?"),
        (
            {"preprocess__shortside": 64},
            "preprocess.shortside: there is no such parameter; "
            "did you mean preprocess.short_side?",
        ),
        ({"reduce__variance": 1.5}, "reduce.variance: found 1.5; expected a number of"),
        ({"ingest__photos_per_batch": "ten"}, "ingest.photos_per_batch: found 'ten'"),
        ({"root": ""}, "root: found nothing; expected a folder or URL"),
        ({"photos": ""}, "photos: found nothing; expected a folder or URL"),
        ({"root": "~nobody-here/out"}, "found ~nobody-here/out, but no home folder"),
        ({"reduce__refit": "sometimes"}, "'when needed', 'always' or 'never'"),
    ],
)
def test_invalid_parameter_is_reported(
    kedro_run: KedroRun,
    tmp_path: Path,
    one_photo: Path,
    parameters: dict[str, object],
    expected: str,
) -> None:
    folders = {"photos": one_photo, "root": tmp_path / "out"}
    assert expected in error_message(kedro_run(**folders | parameters))
    assert not (tmp_path / "out").exists()


def test_unreachable_variance_is_reported(
    first_run: PipelineRun, kedro_run: KedroRun, tmp_path: Path
) -> None:
    folders = {"photos": first_run.photos, "root": tmp_path / "out"}
    message = error_message(kedro_run(**folders, reduce__max_components=2, **SETTINGS))
    assert "Found that 2 components keep" in message
    assert "expected reduce.variance = 95.0%" in message
    assert "raise reduce.max_components" in message


def test_single_photo_is_reported(
    kedro_run: KedroRun, tmp_path: Path, one_photo: Path
) -> None:
    message = error_message(kedro_run(photos=one_photo, root=tmp_path / "out"))
    assert "Found features of 1 photo(s); expected at least 2" in message


def test_too_many_rejects_are_reported(kedro_run: KedroRun, tmp_path: Path) -> None:
    corrupt = {f"Kiwi/{seed}.jpg": truncated_jpeg(seed) for seed in range(3)}
    photos = write_files(tmp_path / "photos", corrupt)
    folders = {"photos": photos, "root": tmp_path / "out"}
    message = error_message(kedro_run(**folders))
    assert "Found 3 of 3 photos rejected (100.0%): 0 that cannot be read" in message
    assert "such as Kiwi/0.jpg: damaged JPEG: " in message
    assert "preprocess.max_error_rate = 5.0%" in message
    reports = tmp_path / "out/08_reporting"
    assert [*pd.read_csv(reports / "rejects.csv")["path"]] == sorted(corrupt)
    assert (reports / "reject_sheet.png").exists()
    message = error_message(kedro_run(**folders, preprocess__max_error_rate=1))
    assert "Found features of 0 photo(s); expected at least 2" in message


def test_unreadable_photos_are_reported(kedro_run: KedroRun, tmp_path: Path) -> None:
    photos = write_files(tmp_path / "photos", {"Kiwi/0.jpg": b"", "Kiwi/1.jpg": b""})
    for name in ("0.jpg", "1.jpg"):
        os.truncate(photos / "Kiwi" / name, 2**30 + 1)
    message = error_message(kedro_run(photos=photos, root=tmp_path / "out"))
    expected = (
        "Found no photo that can be read among 2, such as Kiwi/0.jpg: cannot be read"
    )
    assert message.startswith(expected)


def test_file_as_photo_root_is_reported(kedro_run: KedroRun, tmp_path: Path) -> None:
    write_files(tmp_path, {"photos.zip": b"PK"})
    result = kedro_run(photos=tmp_path / "photos.zip", root=tmp_path / "out")
    assert "photos.zip is a file; expected a folder" in error_message(result)


def test_missing_backbone_is_reported(
    copy: PipelineRun, kedro_run: KedroRun, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    message = error_message(kedro_run(**copy.parameters, backbone_folder=gone))
    assert f"Found no backbone in {gone}" in message
    assert "backbone_folder=data/06_models/backbone" in message
