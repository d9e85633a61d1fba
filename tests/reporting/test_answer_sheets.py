import pandas as pd
from factories import jpeg
from matplotlib.figure import Figure

from fruits_pipeline.reporting.answer_sheets import refusal_sheet, wrong_sheet


def answers(label: str = "Fig", **changes: object) -> pd.DataFrame:
    row = {
        "path": "Test/Fig/1.jpg",
        "label": label,
        "named": "Kiwi",
        "probability": 0.834,
        "rank": 2.0,
        "image": jpeg(1),
        "nearest_path": "Training/Kiwi/2.jpg",
        "nearest_label": "Kiwi",
        "nearest_image": jpeg(2),
    }
    return pd.DataFrame([row | changes])


def texts(sheet: Figure) -> list[str]:
    return [text.get_text() for text in sheet.axes[0].texts]


def test_wrong_answer_has_prediction_probability_and_nearest_photo() -> None:
    assert texts(wrong_sheet(answers(), 2, 20)) == [
        "2 of 20 answers wrong; the 1 most probable shown",
        "answer: Kiwi (83.4%); label: Fig",
        "Test/Fig/1.jpg",
        "right: nearest training photo, Kiwi",
    ]


def test_refusal_says_whether_the_most_probable_label_is_correct() -> None:
    rows = pd.concat([answers("Kiwi", rank=1.0), answers()])
    title, *captions = texts(refusal_sheet(rows, 2, 1, 20))
    assert (
        title == "2 of 20 photos refused, although 1 most probable labels are correct"
    )
    assert captions[0] == "correct: Kiwi (83.4%); label: Kiwi"
    assert "wrong: Kiwi (83.4%); label: Fig" in captions


def test_missing_photo_and_hostile_text_are_drawn() -> None:
    rows = answers("$x$ " * 99, image=None, nearest_image=b"no photo")
    wrong_sheet(rows, 1, 1).canvas.draw()  # type: ignore[attr-defined]
