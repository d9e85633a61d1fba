import json
import sys
from pathlib import Path

import pytest
import s3fs
from factories import jpeg, run_python, write_files

from benchmarks.measurements import Result, ratio, run_rounds, spread
from benchmarks.processes import CommandError, measure
from benchmarks.report import draw_figure, render_page
from benchmarks.slow_s3 import BUCKET, PREFIX, SlowBucket

FOLDER = Path(__file__).parents[1] / "benchmarks/results"
RETIRED = "profile"  # a published section that is no longer measured


@pytest.fixture
def published() -> dict[str, Result]:
    results = json.loads((FOLDER / "results.json").read_text())
    return {name: Result(result) for name, result in results.items()}


def tables_of(markdown: str) -> list[str]:
    return [line for line in markdown.splitlines() if line.startswith("|")]


def test_published_page_has_all_tables(published: dict[str, Result]) -> None:
    expected = tables_of((FOLDER / "results.md").read_text())
    begin = expected.index("| step | us a photo, one core | / infer |")
    steps = published[RETIRED]["runs"]["one worker"][0]["detail"]
    del expected[begin : begin + 2 + len(steps)]
    assert tables_of(render_page(published)) == expected


def test_figure_is_drawn_from_published_results(
    published: dict[str, Result], tmp_path: Path
) -> None:
    draw_figure(published, tmp_path / "results.svg")
    assert (tmp_path / "results.svg").read_text().startswith("<?xml")


def test_spread_and_ratio_are_those_of_medians() -> None:
    assert spread([3, 1, 2]) == {"median": 2, "low": 1, "high": 3}
    assert ratio([2, 4, 9], [1, 2, 3]) == {"median": 2, "low": 2, "high": 3}
    assert spread([]) is ratio([], [1]) is ratio([1], [0]) is None


def test_rounds_alternate_between_programs() -> None:
    order = []

    def program(name: str) -> dict[str, object]:
        order.append(name)
        memory = {"all": 1.0}
        return {"photos": 1, "rate": 2.0, "wall": 3.0, "memory_mib": memory}

    result = run_rounds({n: lambda n=n: program(n) for n in "ab"}, rounds=2)
    assert order == ["a", "b", "a", "b"]
    assert result.figures("a", "memory_mib.all") == [1, 1]


def test_measure_returns_time_and_memory(tmp_path: Path) -> None:
    code = "import time; data = bytearray(64 << 20); time.sleep(1.5); print('done')"
    found = measure([sys.executable, "-c", code], tmp_path)
    assert (tmp_path / "stdout.txt").read_text() == "done\n"
    assert found["wall"] >= 1.5
    assert found["memory_mib"]["driver"] >= 64


def test_measure_raises_with_the_last_lines(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"ended with status 1:[\s\S]*ValueError"):
        measure([sys.executable, "-c", "raise ValueError"], tmp_path)


def test_slow_bucket_lists_and_returns_photos(tmp_path: Path) -> None:
    files = {f"Training/A&B/{i:04}.jpg": jpeg(1) for i in range(1001)}
    bucket = SlowBucket(write_files(tmp_path, files), delay=0)
    options = {"endpoint_url": bucket.start(), "key": "testing", "secret": "testing"}
    storage = s3fs.S3FileSystem(**options, skip_instance_cache=True)
    keys = storage.find(f"{BUCKET}/{PREFIX}")
    assert keys == [f"{BUCKET}/{PREFIX}/{path}" for path in sorted(files)]
    assert storage.cat_file(keys[0]) == jpeg(1)
    assert bucket.counts == {"LIST": 2, "GET": 1}


@pytest.mark.system
def test_pipeline_is_timed_in_a_running_process(tmp_path: Path) -> None:
    photos = {f"Kiwi/{seed}.jpg": jpeg(seed) for seed in range(12)}
    folder, root = write_files(tmp_path / "photos", photos), tmp_path / "root"
    program = ("-m", "benchmarks.programs.in_process", "__default__")
    output = run_python(*program, folder, root)
    result = json.loads(output.splitlines()[-1])
    assert result["photos"] == 12
    assert 0 < result["seconds"] <= sum(result["stages"].values())
