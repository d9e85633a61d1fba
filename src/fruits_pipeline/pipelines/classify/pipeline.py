"""The stage classify. It runs on request only: `kedro run --pipelines classify`."""

from kedro.pipeline import Node, Pipeline

from fruits_pipeline.pipelines.classify.nodes import (
    answer_photos,
    build_phone_model,
    evaluate_answers,
    train_classifier,
)
from fruits_pipeline.pipelines.classify.selection import select_labelled
from fruits_pipeline.pipelines.classify.sheets import (
    draw_refusals,
    draw_wrong_answers,
    make_answer_thumbnails,
    show_answers,
)
from fruits_pipeline.reporting.confusion import confusion_matrix


def create_pipeline(**_: object) -> Pipeline:
    """Return the pipeline from `reduced` to classifier, evaluation and phone model."""
    return Pipeline(
        [
            Node(
                func=select_labelled,
                inputs=["reduced@spark", "reduced@counts", "params:classify"],
                outputs="labelled_vectors",
                name="select_labelled",
            ),
            Node(
                func=train_classifier,
                inputs=["labelled_vectors", "pca", "params:classify"],
                outputs="classifier",
                name="train_classifier",
            ),
            Node(
                func=answer_photos,
                inputs=["labelled_vectors", "classifier", "params:classify"],
                outputs="answers",
                name="answer_photos",
            ),
            Node(
                func=evaluate_answers,
                inputs=[
                    "answers",
                    "classifier",
                    "reduced@counts",
                    "params:classify",
                ],
                outputs="evaluation",
                name="evaluate_answers",
            ),
            Node(
                func=confusion_matrix,
                inputs="answers",
                outputs="confusion",
                name="plot_confusion",
            ),
            Node(
                func=show_answers,
                inputs=["answers", "images@spark", "params:classify"],
                outputs="shown_answers",
                name="show_answers",
            ),
            Node(
                func=draw_wrong_answers,
                inputs=["shown_answers", "answers"],
                outputs="wrong_answers",
                name="draw_wrong_answers",
            ),
            Node(
                func=draw_refusals,
                inputs=["shown_answers", "answers"],
                outputs="refusals",
                name="draw_refusals",
            ),
            Node(
                func=make_answer_thumbnails,
                inputs="shown_answers",
                outputs="answer_thumbnails",
                name="make_answer_thumbnails",
            ),
            Node(
                func=build_phone_model,
                inputs=[
                    "backbone",
                    "pca",
                    "classifier",
                    "params:featurize",
                    "params:preprocess",
                ],
                outputs="phone_model",
                name="build_phone_model",
            ),
        ],
        tags="classify",
    )
