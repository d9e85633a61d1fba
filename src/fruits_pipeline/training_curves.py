"""A figure of how a training went."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from fruits_pipeline.figures import ACCENT, INK, MUTED, layout

_COLOURS = (INK, ACCENT, MUTED)


def training_curves(history: Sequence[Mapping[str, float]]) -> go.Figure:
    """Draw a curve for each loss, and for accuracy, over the epochs.

    Args:
        history: Values by name, of every epoch; none where nothing was trained.

    Returns:
        The figure: losses to the left, accuracy to the right.
    """
    if not history:
        return go.Figure(layout=layout("Nothing was trained", 480))
    accuracy = next((name for name in history[0] if "accuracy" in name), None)
    title = f"{len(history)} epochs"
    if accuracy:
        title += (
            f", {100 * history[-1][accuracy]:.1f} % of the last photos named rightly"
        )
    figure = go.Figure(layout=layout(title, 480))
    losses = [name for name in history[0] if name != accuracy]
    for name, colour in zip([*losses, accuracy], (*_COLOURS, ACCENT), strict=False):
        if name:
            figure.add_scatter(
                x=[*range(1, len(history) + 1)],
                y=[epoch[name] for epoch in history],
                name=name.replace("_", " "),
                line={"color": colour, "width": 2, "dash": _dash(name == accuracy)},
                yaxis="y2" if name == accuracy else "y",
            )
    right = {"overlaying": "y", "side": "right", "range": [0, 1], "showgrid": False}
    figure.update_layout(yaxis2={"title_text": "accuracy", **right})
    figure.update_xaxes(title_text="epoch")
    return figure.update_yaxes(title_text="loss", selector={"side": None})


def _dash(is_accuracy: bool) -> str:
    return "dot" if is_accuracy else "solid"
