"""Show wrong answers and refusals, each with the most similar training photo."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from pyspark.sql import DataFrame

from fruits_pipeline.imaging.thumbnails import THUMBNAIL_SIDE, thumbnail
from fruits_pipeline.models import metrics
from fruits_pipeline.parameters import ClassifyParameters
from fruits_pipeline.reporting import answer_sheets
from fruits_pipeline.spark.columns import add_binary_column

NEAREST = {"nearest_path": "path", "nearest_batch": "batch", "nearest_image": "image"}
"""Columns of the most similar training photo."""


def show_answers(
    answers: pd.DataFrame, images: DataFrame, parameters: ClassifyParameters
) -> pd.DataFrame:
    """Add photos to the most probable wrong answers and refusals.

    Args:
        answers: Result of `answer_photos`.
        images: The table `images`; only the shown photos are read.
        parameters: Parameters of the stage.

    Returns:
        Up to `mistakes_shown` answers of both kinds, with `image` and `nearest_image`
        (encoded canonical photos).
    """
    count = parameters.mistakes_shown
    shown = pd.concat([rows.head(count) for rows in metrics.mistakes(answers)])
    nearest = shown[[*NEAREST][:2]].rename(columns=NEAREST)
    needed = pd.concat([shown[["path", "batch"]], nearest]).drop_duplicates()
    photos = add_binary_column(images, needed, "image").set_index("path")["image"]
    return shown.assign(
        image=shown["path"].map(photos), nearest_image=shown["nearest_path"].map(photos)
    )


def draw_wrong_answers(shown: pd.DataFrame, answers: pd.DataFrame) -> Figure:
    """Draw the most probable wrong answers of the result of `show_answers`."""
    wrong, _ = metrics.mistakes(answers)
    answered = int(answers["answer"].notna().sum())
    return answer_sheets.wrong_sheet(metrics.mistakes(shown)[0], len(wrong), answered)


def draw_refusals(shown: pd.DataFrame, answers: pd.DataFrame) -> Figure:
    """Draw the most probable refusals of the result of `show_answers`."""
    _, refused = metrics.mistakes(answers)
    correct = int((refused["rank"] == 1).sum())
    return answer_sheets.refusal_sheet(
        metrics.mistakes(shown)[1], len(refused), correct, len(answers)
    )


def make_answer_thumbnails(shown: pd.DataFrame) -> pd.DataFrame:
    """Make thumbnails of the photos of the result of `show_answers`."""
    nearest = shown[["nearest_path", "nearest_image"]].rename(columns=NEAREST)
    photos = pd.concat([shown[["path", "image"]], nearest]).dropna()
    photos = photos.drop_duplicates("path").sort_values("path", ignore_index=True)
    small = [thumbnail(image, THUMBNAIL_SIDE) for image in photos["image"]]
    return pd.DataFrame({"path": photos["path"], "thumbnail": small})
