"""The page of results, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.tables import Table, markdown

HEAD = """# Results of the protocols

Made by `make protocols`. Shares of photos, in percent; `features` as the backbone gives
them, `reduced` after the chain's PCA at 95 % of the variance. *Trained* is the shipped
backbone in protocols 1 and 3. In 2 and 4 it is one trained in the same way that has never
seen the film `r` of any fruit, nor any photo of the kinds that are left out. Beside it the
same network by ImageNet's weights, untouched, and the features of its last layer alone."""

SIZES = """Photos a second: decoding, resizing and LiteRT in two processes, on Fruits-360."""


def page(found: Mapping[str, Any]) -> str:
    """Return the page.

    Args:
        found: As in `results.json`.
    """
    by_backbone = found["protocols"]
    header = [
        "",
        *(c for name in by_backbone for c in (f"{name}, features", "reduced")),
    ]
    trained = by_backbone["trained"]
    rows = [
        [
            f"{protocol}{what}",
            *(
                cell
                for of in by_backbone.values()
                for cell in _cells(of[protocol], key)
            ),
        ]
        for protocol in sorted(trained)
        for what, key in _measures(trained[protocol]["reduced"])
    ]
    first = [*found["sizes"][0]]
    sizes = [[row[name] for name in first] for row in found["sizes"]]
    accuracy = Table("Accuracy, by protocol", header, rows)
    width = Table("Widths, sizes and fitting, by ImageNet's weights", first, sizes)
    parts = [HEAD, markdown(accuracy), markdown(width), SIZES]
    return "\n\n".join([*parts, f"Measured {found['made']}."]) + "\n"


def _measures(found: Any) -> list[tuple[str, Any]]:
    """Return the name of each figure of a measure, and its key."""
    if not isinstance(found, Mapping):
        return [("", None)]
    names = {"accuracy": "", "1": ", 1 photo", "5": ", 5 photos", "20": ", 20 photos"}
    return [(names.get(str(key), f": {key}"), key) for key in found]


def _cells(measured: Mapping[str, Any], key: Any) -> list[str]:
    return [_share(measured.get(of), key) for of in ("features", "reduced")]


def _share(measured: Any, key: Any) -> str:
    if measured is None:
        return ""
    return f"{100 * (measured if key is None else measured[key]):.1f}"
