from collections.abc import Sequence

import pytest
import yaml
from factories import PROJECT

from fruits_pipeline.io.left_out import EXAMPLES, LeftOut

PARAMETERS = yaml.safe_load((PROJECT / "conf/base/parameters_ingest.yml").read_text())
EXTENSIONS: Sequence[str] = PARAMETERS["ingest"]["extensions"]


def test_files_like_photos_are_overlooked() -> None:
    left_out = LeftOut(
        {
            ".cr2": ["a.cr2", "b.CR2"],
            ".txt": ["a.txt"],
            "no extension": ["LICENSE"],
            "unusual extension": ["a.jpg?w=1", "b.jpg_large", "c.1"],
            "broken link": ["x.jpg", "x.txt"],
            "system file": ["@eaDir/x.jpg"],
            "hidden": [".x.jpg"],
            "below root": ["out/sheet.png"],
        }
    )
    assert left_out.overlooked(1000, EXTENSIONS) == LeftOut(
        {
            ".cr2": ["a.cr2", "b.CR2"],
            "unusual extension": ["a.jpg?w=1", "b.jpg_large"],
            "broken link": ["x.jpg"],
        }
    )


@pytest.mark.parametrize(
    ("names", "files", "overlooked"),
    [(21, 100, 21), (20, 100, 0), (21, 210, 0), (22, 210, 22)],
)
def test_many_files_of_any_kind_are_overlooked(
    names: int, files: int, overlooked: int
) -> None:
    left_out = LeftOut({"no extension": [f"{i}" for i in range(names)]})
    found = left_out.overlooked(files, EXTENSIONS)
    assert sum(found.counts().values()) == overlooked


def test_description_has_counts_and_three_examples_of_each_reason() -> None:
    left_out = LeftOut({".txt": ["b.txt"], "hidden": [".d", ".c", ".b", ".a"]})
    assert left_out.describe() == (
        "4 hidden (such as '.a', '.b', '.c'), 1 .txt (such as 'b.txt')"
    )
    assert LeftOut().describe() == ""


def test_description_of_many_reasons_is_short() -> None:
    left_out = LeftOut({f".{i}": ["x"] * (50 - i) for i in range(30)})
    assert left_out.describe().endswith(", 610 others")


def test_erased_photos_are_not_named() -> None:
    assert LeftOut({"forgotten": ["a.jpg"]}).describe() == "1 forgotten"


def test_merged_counts_have_the_smallest_examples() -> None:
    first, second = LeftOut({".txt": ["d.txt", "b.txt"]}), LeftOut({".txt": ["a.txt"]})
    second.merge(first)
    assert second == LeftOut({".txt": ["a.txt", "b.txt", "d.txt"]})
    assert first.counts() == {".txt": 2}


def test_memory_does_not_grow_with_the_number_of_paths() -> None:
    left_out = LeftOut({".txt": (f"{i}.txt" for i in range(1000))})
    (kinds,) = left_out._samples.values()
    assert [len(sample.smallest) for sample in kinds.values()] == [EXAMPLES]
