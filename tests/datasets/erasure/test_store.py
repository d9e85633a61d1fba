from factories import NOON

from fruits_pipeline.datasets import ListedFiles, Listing
from fruits_pipeline.datasets.erasure.store import correct_counts
from fruits_pipeline.io.listing import ListedFile

COUNTS = {"files": 10, "photos": 8, "gone": 2, "left_out": {".txt": 2}}


def listing(*paths: str) -> Listing:
    files = [ListedFile(path, 1, NOON) for path in paths]
    return Listing("/my photos", ListedFiles.of(files))


def test_erased_photos_are_counted_as_left_out() -> None:
    listed = [f"{i}.jpg" for i in range(8)]
    stored = {"gone 1", "gone 2", *listed[:6]}  # two listed photos were erased
    corrected = correct_counts(COUNTS, stored, listing(*listed))
    assert corrected == {
        "files": 10,
        "photos": 6,
        "gone": 2,
        "left_out": {".txt": 2, "forgotten": 2},
    }
    assert correct_counts(corrected, stored, listing(*listed)) == corrected


def test_erased_photo_that_is_gone_is_not_left_out() -> None:
    listed = [f"{i}.jpg" for i in range(8)]
    corrected = correct_counts(COUNTS, {"gone 1", *listed}, listing(*listed))
    assert corrected == COUNTS | {"gone": 1}


def test_counts_are_corrected_without_a_listing() -> None:
    stored = {str(i) for i in range(9)}
    corrected = correct_counts(COUNTS, stored, None)
    assert (corrected["photos"], corrected["gone"]) == (7, 2)
    assert corrected["left_out"] == {".txt": 2, "forgotten": 1}
