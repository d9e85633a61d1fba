import hashlib
import json
from urllib.parse import quote

import numpy as np
import pytest

from fruits_pipeline.io.forgotten import ForgottenPhoto, ForgottenPhotos, hash_text
from fruits_pipeline.io.traces import BYTES, ID, PATH, Traces, read_chunks

PATHS = ["a.jpg", "Test/Kiwi/été, #2?.jpg", 'Lime%20Key/it\'s "1".jpg', "🍎/a & b.jpg"]
CONTENT = np.random.default_rng(1).bytes(5000)
PHOTO_ID = hashlib.sha256(CONTENT).hexdigest()


def make_traces(*paths: str, remaining: tuple[str, ...] = ()) -> Traces:
    traces = Traces(ForgottenPhotos(), "/my photos", remaining=frozenset(remaining))
    traces.paths |= {*paths}
    return traces


def spellings(path: str) -> dict[str, str]:
    in_json = json.dumps(path)
    return {
        "plain": f"1\t{path}\n",
        "CSV": f'"Kiwi","{path}"\n',
        "JSON": f'{{"path": {in_json}}}',
        "JSON in JSON": json.dumps({"stats": f'{{"min": {in_json}}}'}),
        "slashes": in_json.replace("/", "\\u002f"),
        "URL": f"photo={quote(path)}&size=1",
        "encoded slashes": f"photo={quote(path, safe='')}",
        "HTML": f"<b>{path.replace('&', '&amp;').replace(chr(39), '&#39;')}</b>",
        "absolute": f"opened /my photos/{path} for reading",
    }


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("spelling", spellings(""))
def test_path_is_found_in_every_spelling(path: str, spelling: str) -> None:
    text = spellings(path)[spelling]
    assert make_traces(path).find_in_text(text) == {PATH}


@pytest.mark.parametrize("path", PATHS)
def test_other_paths_are_not_found(path: str) -> None:
    traces = make_traces(path, remaining=(f"b, {path}", f"{path} (1).jpg"))
    for other in (f"b{path}", f"b/{path}", f"{path}2", f"b, {path}", f"{path} (1).jpg"):
        for text in spellings(other).values():
            assert not traces.find_in_text(text), text


def test_ids_are_found_in_text() -> None:
    traces = make_traces()
    traces.ids.add(PHOTO_ID)
    for text in (PHOTO_ID, f'"{PHOTO_ID.upper()}"', f"00{PHOTO_ID}00"):
        assert traces.find_in_text(text) == {ID}
    assert not traces.find_in_text(PHOTO_ID[:-1])


def test_ids_and_photos_of_earlier_erasures_are_found_by_their_hashes() -> None:
    size = hash_text(str(len(CONTENT)))
    photo = ForgottenPhoto("", hash_text(PHOTO_ID), size, ())
    traces = Traces(ForgottenPhotos((photo,)), "/my photos")
    assert traces.is_id(PHOTO_ID)
    assert traces.find_in_text(f"id {PHOTO_ID}") == {ID}
    assert traces.is_bytes(CONTENT)
    assert traces.find_in_bytes(CONTENT) == {BYTES}
    assert not traces.find_in_bytes(CONTENT[1:])


@pytest.mark.parametrize(
    "content", [CONTENT, bytes(300), b"short", b"-" * 300 + CONTENT]
)
def test_bytes_are_found_anywhere(content: bytes) -> None:
    traces = make_traces()
    traces.values.add(content)
    assert traces.is_bytes(content)
    for start, end in ((b"", b""), (b"abc", b"def"), (content[:40], content[-40:])):
        assert traces.find_in_bytes(start + content + end) == {BYTES}
    assert not traces.find_in_bytes(b"x" + content[1:])
    assert not traces.find_in_bytes(content[:-1])


def test_removed_bytes_are_not_found() -> None:
    traces = make_traces()
    for content in (CONTENT, CONTENT[:99], b"short"):
        traces.values.add(content)
        traces.values.discard(content)
        assert not traces.find_in_bytes(content)
        assert not traces.is_bytes(content)
    traces.values.discard(b"unknown")
    assert len(traces.values) == 0


def test_nothing_is_found_without_traces() -> None:
    assert not make_traces().find_in_bytes(CONTENT + PHOTO_ID.encode())


def test_bytes_at_the_border_of_chunks_are_found() -> None:
    traces = make_traces()
    traces.values.add(CONTENT[100:400])
    chunks = [CONTENT[i : i + 150] for i in range(0, 600, 150)]
    joined = read_chunks(chunks, overlap=300)
    assert any(traces.find_in_bytes(chunk) for chunk in joined)
