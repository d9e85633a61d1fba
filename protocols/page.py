"""The page of results, in Markdown."""

from collections.abc import Mapping
from typing import Any

from benchmarks.tables import Table

HEAD = """# Results of the protocols

Made by `make protocols`. Shares of photos, in percent; `features` are the output of the
backbone, `reduced` the same after the PCA of the pipeline, with 95 % of the variance.
*Trained* is the shipped backbone in protocols 1 and 3. In 2 and 4 it is a backbone that was
trained in the same way, but without the series `r` of any fruit and without the held-out
labels. *ImageNet* is the same network with ImageNet weights; *last layer* has only the
features of its last layer. Rows are the accuracy of a logistic regression with the same
regularisation everywhere; *classifier* is the classifier of the pipeline, *right* the
accuracy of its answers, *refused* the share of held-out labels answered with `unknown`."""

NOTE = "photos/s: decoding, resizing and LiteRT in two processes, on Fruits-360."
SUFFIXES = {"accuracy": "", "1": ", 1 photo", "5": ", 5 photos", "20": ", 20 photos"}


def render(results: Mapping[str, Any]) -> str:
    """Return the page for the content of `results.json`."""
    header, columns = [""], []
    for name, found in results["protocols"].items():
        header += [f"{name}, features", "reduced"]
        columns += [_flatten(found, "features"), _flatten(found, "reduced")]
    trained = dict(sorted(results["protocols"]["trained"].items()))
    rows = [
        [title, *(_percent(column.get(title)) for column in columns)]
        for title in _flatten(trained, "reduced")
    ]
    accuracy = Table("Accuracy, by protocol", header, rows)
    sizes = [list(row.values()) for row in results["sizes"]]
    title = "Width, input size and fit mode, ImageNet weights"
    size = Table(title, list(results["sizes"][0]), sizes)
    parts = [HEAD, accuracy.markdown(), size.markdown(), NOTE]
    return "\n\n".join([*parts, f"Measured {results['made']}."]) + "\n"


def _flatten(protocols: Mapping[str, Any], column: str) -> dict[str, float]:
    """Return the figures of a column by the title of their row."""
    flat: dict[str, float] = {}
    for protocol, found in protocols.items():
        figures = found.get(column, {})
        if not isinstance(figures, Mapping):
            figures = {"accuracy": figures}
        for key, share in figures.items():
            flat[f"{protocol}{SUFFIXES.get(str(key), f': {key}')}"] = share
    return flat


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"
