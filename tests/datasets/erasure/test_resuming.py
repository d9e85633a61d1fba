import dataclasses

import pytest

from fruits_pipeline.datasets.erasure.resuming import begin, begun_terms
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.forgotten import ForgottenPhoto, ForgottenPhotos
from fruits_pipeline.io.search_terms import SearchTerms

PHOTO = ForgottenPhoto("2026-11-01", "a", "b", ("c",))
TERMS = SearchTerms(frozenset({"id"}), frozenset({"Kiwi/1.jpg"}))
BEGUN = dataclasses.replace(
    ForgottenPhotos((PHOTO,)),
    unfinished=begin([PHOTO], None, ["Kiwi/1.jpg"], ["report"]),
)


def test_terms_of_an_interrupted_erasure_are_used_again() -> None:
    assert begun_terms(TERMS, BEGUN, [], "/photos") == TERMS
    assert begun_terms(TERMS, ForgottenPhotos(), [], "/photos") == TERMS
    assert begun_terms(None, ForgottenPhotos(), [], "/photos") == SearchTerms()


@pytest.mark.parametrize("arguments", [[], ["Kiwi/2.jpg"], ["Kiwi/1"]])
def test_lost_terms_are_not_taken_for_none(arguments: list[str]) -> None:
    with pytest.raises(FruitsError, match="1 arguments of the interrupted call"):
        begun_terms(None, BEGUN, arguments, "/photos")


@pytest.mark.parametrize("path", ["Kiwi/1.jpg", "/photos/Kiwi/1.jpg"])
def test_lost_terms_are_replaced_by_the_same_arguments(path: str) -> None:
    assert not begun_terms(None, BEGUN, [path], "/photos").is_complete


def test_entry_includes_that_of_the_interrupted_erasure() -> None:
    other = dataclasses.replace(PHOTO, photo="z")
    entry = begin([other], BEGUN.unfinished, ["Kiwi/2.jpg"], ["report", "classify"])
    assert entry.photos == ("a", "z")
    assert len(entry.arguments) == 2
    assert entry.stages == ("report", "classify")
