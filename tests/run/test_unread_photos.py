import os

import pandas as pd
from factories import by_path, jpeg, read_table, write_files
from pipeline_runs import PHOTOS, KedroRun, PipelineRun, run_pipeline, sorted_rows

LARGE = "Training/Kiwi/large.jpg"


def check_sums(summary: dict[str, object]) -> None:
    """Check that all files and photos of a summary are accounted for."""
    counts = {name: int(str(summary[name])) for name in summary if name in NAMES}
    left_out = summary["left_out"]
    assert isinstance(left_out, dict)
    assert counts["files"] == counts["photos_listed"] + sum(left_out.values())
    assert counts["photos"] == counts["photos_listed"] + counts["gone"]
    assert counts["photos"] == counts["features"] + counts["rejected"]


NAMES = {"files", "photos_listed", "photos", "gone", "features", "rejected"}


def test_every_file_is_accounted_for(copy: PipelineRun, kedro_run: KedroRun) -> None:
    plums = write_files(
        copy.photos.parent / "Plum", {f"{i}.jpg": jpeg(i) for i in range(3)}
    )
    (copy.photos / "Training/Plum").symlink_to(plums)
    (copy.photos / "Training/loop").symlink_to("..")
    (copy.photos / "Training/Kiwi/0_100.jpg").unlink()
    write_files(
        copy.photos,
        {
            LARGE: b"",
            "Training/Kiwi/@eaDir/x.jpg": jpeg(1),
            "Training/Kiwi/x.cr2": b"-",
        },
    )
    os.truncate(copy.photos / LARGE, 2**28 + 1)
    run = run_pipeline(kedro_run, copy.photos, copy.root)
    check_sums(dict(run.summary))
    assert run.summary["left_out"] == {
        ".txt": 1,
        ".cr2": 1,
        "system file": 1,
        "link to a parent folder": 1,
    }
    assert run.summary["photos_listed"] == len(PHOTOS) - 1 + 4
    assert (run.summary["gone"], run.summary["rejected"]) == (1, 3)

    for table in ("photos", "images"):
        row = by_path(read_table(copy.root, table))[LARGE]
        assert (row["photo_id"], row["label"]) == (None, "Kiwi")
        assert row["error"] == "cannot be read: larger than 256 MiB; reduce its size"
    rejects = pd.read_csv(copy.root / "08_reporting/rejects.csv")
    assert LARGE in set(rejects["path"])
    plum_rows = [r for r in sorted_rows(copy.root, "features") if r["label"] == "Plum"]
    assert len(plum_rows) == 3

    again = run_pipeline(kedro_run, copy.photos, copy.root)
    check_sums(dict(again.summary))
    assert set(again.summary["batches_written"].values()) == {0}

    (copy.photos / LARGE).write_bytes(jpeg(999))
    repaired = run_pipeline(kedro_run, copy.photos, copy.root)
    check_sums(dict(repaired.summary))
    assert repaired.summary["rejected"] == 2
    assert repaired.embedded == 1
    assert by_path(read_table(copy.root, "features"))[LARGE]["photo_id"]
