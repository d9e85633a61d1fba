from typing import Any

import pandas as pd
import pytest
from factories import frame, key_of, report_parameters, truncated_jpeg
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.pipelines.preprocess.nodes import draw_reject_sheet, list_rejects
from fruits_pipeline.reporting import contact_sheets

pytestmark = pytest.mark.usefixtures("spark")

PARAMETERS = report_parameters(map_photos=100, examples_per_label=2, rejects_shown=2)
BROKEN, UNREAD = "Training/Fig/broken", "Training/Fig/unread"
ERRORS = {
    BROKEN: "damaged JPEG: truncated",
    UNREAD: "cannot be read: it is a folder now",
}
GOOD = "Test/Kiwi/good"
COUNTS = pd.DataFrame({"batch": ["000001"], "photos": [3], "rejected": [2]})


@pytest.fixture(scope="module")
def images(spark: object) -> DataFrame:
    rows = [
        key_of(path) | {"error": ERRORS.get(path)} for path in (UNREAD, GOOD, BROKEN)
    ]
    rows[0]["photo_id"] = None
    return frame(rows, schemas.IMAGES, batch="000001")


@pytest.fixture(scope="module")
def photos(spark: object) -> DataFrame:
    rows = [key_of(path) | {"content": truncated_jpeg(1)} for path in (GOOD, BROKEN)]
    return frame([*rows, key_of(UNREAD)], schemas.PHOTOS, batch="000001")


@pytest.fixture
def sheets(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Record the arguments of `reject_sheet`."""
    calls: list[Any] = []
    draw = contact_sheets.reject_sheet

    def record(*arguments: Any) -> Any:
        calls.append(arguments)
        return draw(*arguments)

    monkeypatch.setattr(contact_sheets, "reject_sheet", record)
    return calls


def test_rejects_are_listed_with_stage_and_error(images: DataFrame) -> None:
    rejects = list_rejects(images)
    assert rejects.to_dict("split")["data"] == [
        [BROKEN, "Fig", "Training", "preprocess", ERRORS[BROKEN]],
        [UNREAD, "Fig", "Training", "ingest", ERRORS[UNREAD]],
    ]
    assert list(rejects.columns) == ["path", "label", "split", "stage", "error"]


def test_reject_sheet_contains_the_content_of_rejected_photos(
    photos: DataFrame, images: DataFrame, sheets: list[Any]
) -> None:
    draw_reject_sheet(photos, images, COUNTS, PARAMETERS, 64)
    ((rejects, rejected, total, max_mib),) = sheets
    assert list(rejects["path"]) == [BROKEN, UNREAD]
    assert list(rejects["content"]) == [truncated_jpeg(1), None]
    assert dict(zip(rejects["path"], rejects["error"], strict=True)) == ERRORS
    assert (rejected, total, max_mib) == (2, 3, 64)


@pytest.mark.parametrize("shown", [0, 1])
def test_reject_sheet_contains_at_most_rejects_shown(
    photos: DataFrame, images: DataFrame, sheets: list[Any], shown: int
) -> None:
    few = PARAMETERS.model_copy(update={"rejects_shown": shown})
    draw_reject_sheet(photos, images, COUNTS, few, 64)
    ((rejects, rejected, *_),) = sheets
    assert (len(rejects), rejected) == (shown, 2)


def test_reject_sheet_may_be_empty(
    photos: DataFrame, images: DataFrame, sheets: list[Any]
) -> None:
    counts = COUNTS.assign(rejected=0)
    draw_reject_sheet(photos, images.where("error is null"), counts, PARAMETERS, 64)
    ((rejects, rejected, total, _),) = sheets
    assert (len(rejects), rejected, total) == (0, 0, 3)
