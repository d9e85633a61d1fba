import pytest
from kedro.io.core import DatasetError

from fruits_pipeline.datasets import SearchTermsFile
from fruits_pipeline.io.files import write_file
from fruits_pipeline.io.forgotten import ForgottenPhotos
from fruits_pipeline.io.search_terms import SearchTerms
from fruits_pipeline.io.traces import BYTES, ID, PATH, Traces

PHOTO_ID = "0123456789abcdef" * 4


def test_terms_are_searched_in_a_later_process(folder: str) -> None:
    dataset = SearchTermsFile(filepath=f"{folder}/.erasure.json")
    assert dataset.load() is None
    before = Traces(ForgottenPhotos(), "/photos", {PHOTO_ID}, {"Kiwi/\u00e9 1.jpg"})
    contents = [bytes(range(256)), b"short", b"0123456789"]
    for content in contents:
        before.values.add(content)
    terms = SearchTerms.from_traces(before, is_complete=False)
    dataset.save(terms)
    loaded = dataset.load()
    assert loaded == terms
    after = Traces(ForgottenPhotos(), "/photos")
    loaded.add_to(after)
    for content in contents:
        assert after.find_in_bytes(b"ab" + content + b"c") == {BYTES}
    assert after.find_in_text(f"{PHOTO_ID}, Kiwi/\u00e9 1.jpg") == {ID, PATH}


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"ids": [', b"null"])
def test_damaged_file_is_not_taken_for_no_erasure(folder: str, content: bytes) -> None:
    write_file(f"{folder}/.erasure.json", content)
    with pytest.raises(DatasetError, match="repeat `kedro forget`"):
        SearchTermsFile(filepath=f"{folder}/.erasure.json").load()
