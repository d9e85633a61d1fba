"""The stage classify. It runs on request only: `kedro run --pipelines classify`."""

from kedro.pipeline import Node, Pipeline

from fruits_pipeline.pipelines.classify.nodes import (
    answer_photos,
    build_phone_model,
    draw_mistakes,
    evaluate_answers,
    select_labelled,
    train_classifier,
)
from fruits_pipeline.reporting.confusion import confusion_matrix


def create_pipeline(**_: object) -> Pipeline:
    """Return the pipeline from `reduced` to classifier, evaluation and phone model."""
    return Pipeline(
        [
            Node(
                func=select_labelled,
                inputs=["reduced@spark", "params:classify"],
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
                inputs=["labelled_vectors", "classifier"],
                outputs="answers",
                name="answer_photos",
            ),
            Node(
                func=evaluate_answers,
                inputs=["answers", "classifier"],
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
                func=draw_mistakes,
                inputs=["answers", "images@spark", "params:classify"],
                outputs="mistake_sheet",
                name="draw_mistakes",
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
