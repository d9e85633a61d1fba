from pathlib import Path

from factories import jpeg, write_files
from pipeline_runs import KedroRun, error_message, run_pipeline


def test_tables_below_photos_are_ignored(kedro_run: KedroRun, tmp_path: Path) -> None:
    photos = write_files(tmp_path, {f"Kiwi/{i}.jpg": jpeg(i) for i in range(3)})
    for _ in range(2):
        summary = run_pipeline(kedro_run, photos, photos / "out").summary
        assert summary["photos"] == 3
    message = error_message(kedro_run(photos=photos, root=photos))
    assert "`photos` and `root` set to the same folder" in message


def test_photos_below_root_are_ingested(kedro_run: KedroRun, tmp_path: Path) -> None:
    root = tmp_path / "data"
    photos = {f"Kiwi/{i}.jpg": jpeg(i) for i in range(3)}
    store = write_files(root / "01_raw/sample", photos)
    for _ in range(2):
        assert run_pipeline(kedro_run, store, root).summary["photos"] == 3


def test_photos_in_a_folder_that_runs_write_to_are_kept(
    kedro_run: KedroRun, tmp_path: Path
) -> None:
    for name in ("02_intermediate/photos", "03_primary/images/mine", "08_reporting"):
        root = tmp_path / name[:2]
        photos = write_files(root / name, {"Kiwi/0.jpg": jpeg(0)})
        message = error_message(kedro_run(photos=photos, root=root))
        assert "Found `photos` = " in message or "and no table" in message
        assert (photos / "Kiwi/0.jpg").read_bytes() == jpeg(0)
