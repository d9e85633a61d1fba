import json

import pandas as pd
import pytest
from factories import jpeg

from fruits_pipeline.datasets.erasure.search import search
from fruits_pipeline.io.files import resolve, write_file
from fruits_pipeline.io.forgotten import ForgottenPhotos
from fruits_pipeline.io.search_terms import FILE_NAME
from fruits_pipeline.io.traces import Traces

PATH = "Test/Kiwi/é 1.jpg"
PHOTO = jpeg(1)
PHOTO_ID = "0123456789abcdef" * 4


@pytest.fixture
def traces() -> Traces:
    traces = Traces(ForgottenPhotos(), "/my photos", {PHOTO_ID}, {PATH})
    traces.values.add(PHOTO)
    return traces


def parquet(**columns: object) -> bytes:
    content: bytes = pd.DataFrame(columns).to_parquet(compression="zstd")
    return content


FILES = {
    "notes.txt": (f"see {PATH}\n".encode(), ["path"]),
    "a.json": (json.dumps([PATH]).encode(), ["path"]),
    "copy.bin": (b"-" * 100 + PHOTO + b"-", ["bytes"]),
    "a.npz": (b"\0PK" + PHOTO_ID.encode(), ["photo_id"]),
    "ids.parquet": (parquet(photo_id=[PHOTO_ID, "x"] * 500), ["photo_id"]),
    "paths.parquet": (parquet(path=["b.jpg", PATH]), ["path"]),
    "text.parquet": (parquet(note=[f"see {PATH}"]), ["path"]),
    "photos.parquet": (parquet(content=[b"-", PHOTO]), ["bytes"]),
    "nested.parquet": (parquet(stats=[{"min": [PATH]}]), ["path"]),
    f"{PHOTO_ID}.txt": (b"", ["photo_id"]),
}


def test_traces_are_found_in_all_kinds_of_files(folder: str, traces: Traces) -> None:
    for name, (content, _) in FILES.items():
        write_file(f"{folder}/sub folder/{name}", content)
    write_file(f"{folder}/other.jpg", jpeg(2))
    write_file(f"{folder}/{FILE_NAME}", PHOTO)
    write_file(f"{folder}/other.parquet", parquet(path=["Test/Kiwi/é 1.jpg.jpg"]))
    result = search(folder, traces, None)
    expected = {f"sub folder/{name}": kinds for name, (_, kinds) in FILES.items()}
    assert result.findings == expected
    assert result.has_bytes
    assert result.files == len(FILES) + 2
    assert result.bytes > len(PHOTO)


def test_photo_root_is_excluded(folder: str, traces: Traces) -> None:
    write_file(f"{folder}/01_raw/photos/{PATH}", PHOTO)
    write_file(f"{folder}/01_raw/photos 2.txt", b"-")
    result = search(folder, traces, "01_raw/photos")
    assert not result.findings
    assert (result.files, result.excluded) == (1, 1)


def test_damaged_parquet_file_is_searched_as_bytes(folder: str, traces: Traces) -> None:
    write_file(f"{folder}/a.parquet", b"PAR1" + PHOTO + b"PAR1")
    result = search(folder, traces, None)
    assert result.findings == {"a.parquet": ["bytes"]}
    assert result.unreadable == ["a.parquet"]
    assert resolve(folder)[0].exists(resolve(f"{folder}/a.parquet")[1])
