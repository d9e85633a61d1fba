"""Interactive figure of the losses and the accuracy of a training."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from fruits_pipeline.reporting.theme import (
    FIGURE_ACCENT,
    FIGURE_LINE,
    GREY,
    count_text,
    plotly_layout,
)

_LOSS_STYLES = [
    {"line": {"color": colour, "width": 2, "dash": dash}, "yaxis": "y"}
    for dash in ("solid", "dash")
    for colour in (FIGURE_LINE, FIGURE_ACCENT, GREY)
]
_ACCURACY_STYLE = {
    "line": {"color": FIGURE_ACCENT, "width": 2, "dash": "dot"},
    "yaxis": "y2",
}


def training_curves(history: Sequence[Mapping[str, float]]) -> go.Figure:
    """Plot each loss and the accuracy over the epochs.

    Args:
        history: Up to six losses and one accuracy by name, for each epoch; may be empty.

    Returns:
        The figure, with the axis of the losses on the left and of the accuracy on the
        right.
    """
    if not history:
        return go.Figure(layout=plotly_layout("No epoch was trained", 480))
    accuracy = next(name for name in history[0] if "accuracy" in name)
    title = f"{count_text(len(history), 'epoch')}, {100 * history[-1][accuracy]:.1f} % "
    title += "training accuracy"
    figure = go.Figure(layout=plotly_layout(title, 480))
    styles = iter(_LOSS_STYLES)
    for name in history[0]:
        figure.add_scatter(
            x=[*range(1, len(history) + 1)],
            y=[epoch[name] for epoch in history],
            name=name.replace("_", " "),
            **(_ACCURACY_STYLE if name == accuracy else next(styles)),
        )
    right = {"overlaying": "y", "side": "right", "range": [0, 1], "showgrid": False}
    right |= {"tickformat": ".0%", "automargin": True}
    figure.update_layout(yaxis_title_text="loss", yaxis2=right)
    figure.update_layout(yaxis2_title_text="accuracy")
    return figure.update_xaxes(title_text="epoch")
