"""A figure of how a training went."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from fruits_pipeline.reporting.figures import ACCENT, INK, MUTED, layout

_LOSSES = [
    {"line": {"color": colour, "width": 2, "dash": dash}, "yaxis": "y"}
    for dash in ("solid", "dash")
    for colour in (INK, ACCENT, MUTED)
]
_ACCURACY = {"line": {"color": ACCENT, "width": 2, "dash": "dot"}, "yaxis": "y2"}


def training_curves(history: Sequence[Mapping[str, float]]) -> go.Figure:
    """Draw a curve for each loss, and for accuracy, over the epochs.

    Args:
        history: Values by name, of every epoch; none where nothing was trained.

    Returns:
        The figure: losses to the left, accuracy to the right.
    """
    if not history:
        return go.Figure(layout=layout("Nothing was trained", 480))
    accuracy = next(name for name in history[0] if "accuracy" in name)
    title = f"{len(history)} epochs, {100 * history[-1][accuracy]:.1f} % of the "
    figure = go.Figure(layout=layout(f"{title}last photos named rightly", 480))
    styles = iter(_LOSSES)
    for name in history[0]:
        figure.add_scatter(
            x=[*range(1, len(history) + 1)],
            y=[epoch[name] for epoch in history],
            name=name.replace("_", " "),
            **(_ACCURACY if name == accuracy else next(styles)),
        )
    right = {"overlaying": "y", "side": "right", "range": [0, 1], "showgrid": False}
    figure.update_layout(yaxis_title_text="loss", yaxis2=right)
    figure.update_layout(yaxis2_title_text="accuracy")
    return figure.update_xaxes(title_text="epoch")
