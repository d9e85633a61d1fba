"""Results of a run with invented photos, for tests of the page."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from fruits_pipeline.models.classifiers import Classifier
from fruits_pipeline.models.metrics import add_answers, evaluate
from fruits_pipeline.reporting.figures import photo_map, variance_curve
from fruits_pipeline.reporting.image_quality import count_measures
from fruits_pipeline.reporting.page.results import Results

HOSTILE_LABELS = (
    "<script>alert(1)</script>",
    "</script><b>bold",
    "\"quoted\" & 'single'",
    "🍎 apple",
    "W" * 200,
    "$x$",
    "@accent",
    "{{ 7 * 7 }}",
    "سيب",
)
LIMITS = {"dark": 0.15, "bright": 0.92, "blurred": 0.15, "tiny": 64.0}


def picture(seed: int, kind: str = "JPEG") -> bytes:
    """Return a small encoded picture of one colour."""
    colour = tuple(np.random.default_rng(seed).integers(0, 255, 3).tolist())
    content = io.BytesIO()
    Image.new("RGB", (24, 16), colour).save(content, kind)
    return content.getvalue()


def make_results(
    labels: Sequence[str | None] = HOSTILE_LABELS, per_label: int = 4, **changes: Any
) -> Results:
    """Return complete results; `changes` replaces some, and None removes them."""
    photos = pd.DataFrame(
        [
            (f"Training/{label}/{i}.jpg", label, ("Training", "Test")[i % 4 == 3])
            for label in labels
            for i in range(per_label)
        ],
        columns=["path", "label", "split"],
    )
    values = {
        **_tables(photos),
        **_files(photos),
        **_answers(photos),
        "reject_sheet": picture(1, "PNG"),
    } | changes
    present = {name: value for name, value in values.items() if value is not None}
    return Results(present, "/data/my <root>", 24, LIMITS, ["training"])


def _tables(photos: pd.DataFrame) -> dict[str, Any]:
    first, last = photos.iloc[:6].reset_index(), photos.iloc[::-1][:6].reset_index()
    columns = int(np.ceil(np.sqrt(len(photos))))
    numbers = np.arange(len(photos))
    neighbours = {f"neighbour_{j}": last["path"] for j in (1, 2, 3)}
    issues = first.assign(issue="dark", value=0.1, threshold=0.15)
    return {
        "label_counts": photos.assign(photos=1, rejected=0),
        "rejects": pd.DataFrame({"path": ["a.jpg"], "error": ["no <image>: 1"]}),
        "near_duplicates": first.assign(
            other_path=last["path"],
            other_label=last["label"],
            other_split=last["split"],
            similarity=0.98,
            across_splits=True,
        ),
        "suspect_labels": first.assign(
            suggested_label=last["label"], similarity=0.9, **neighbours
        ),
        "outliers": first.assign(distance=3.2),
        "atlas": photos.assign(row=numbers // columns, column=numbers % columns),
        "quality_issues": issues,
        "coverage": photos.assign(series=None, photos=1, new_photos=1),
        "thumbnails": pd.DataFrame(
            {"path": photos["path"], "thumbnail": [*map(picture, numbers)]}
        ),
    }


def _files(photos: pd.DataFrame) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    count, quality = len(photos), pd.DataFrame()
    for name in ("brightness", "contrast", "sharpness", "saturation"):
        quality[name] = rng.uniform(0, 1, count)
    quality["shorter_side"], quality["aspect_ratio"] = 100, 1.5
    points = photos.assign(x=rng.normal(size=count), y=rng.normal(size=count))
    curve = variance_curve(np.array([0.6, 0.3, 0.1]), 2, {0.9: 2})
    by_label = photos["label"].value_counts(dropna=False)
    return {
        "run_summary": {
            "files": count + 3,
            "left_out": {".<md>": 2},
            "photos": count + 1,
            "rejected": 1,
            "gone": 0,
            "features": count,
            "feature_width": 3,
            "components": 2,
            "explained_variance": 0.9,
            "components_for": {"90%": 2},
            "seconds": {"ingest": 2.5, "report": 75.0},
            "photos_per_second": 12.3,
        },
        "exploration": {
            "explored": True,
            "compared": count,
            "labels": photos["label"].nunique(),
            "similarity": 0.97,
            "similarity_across_splits": 0.95,
            "duplicate_pairs": 6,
            "duplicate_pairs_across_splits": 6,
            "suspect_labels": 6,
            "outliers": 6,
            "leakage": [{"split": "Test", "photos": 111, "with_near_duplicate": 23}],
        },
        "quality_histograms": {
            "photos": count,
            "issues": {"dark": 6, "bright": 0},
            "measures": count_measures([quality]),
        },
        "batch_changes": {
            "new_photos": 4,
            "earlier_photos": count,
            "labels": [
                {
                    "label": None if pd.isna(label) else label,
                    "new": 4,
                    "earlier": int(n),
                }
                for label, n in by_label.items()
            ],
            "measures": {"brightness": {"new": 0.4, "earlier": 0.5}},
            "mean_distance": 0.2,
        },
        "variance_curve": curve.to_plotly_json() | {"data": [*map(_plain, curve.data)]},
        "photo_map": {"data": [*map(_plain, photo_map(points, (0.3, 0.2)).data)]},
    }


def _plain(trace: Any) -> dict[str, Any]:
    content: dict[str, Any] = trace.to_plotly_json()
    arrays = ("x", "y", "text")
    return content | {name: [*content[name]] for name in arrays if name in content}


def _answers(photos: pd.DataFrame) -> dict[str, Any]:
    known = photos.dropna(subset=["label"]).reset_index(drop=True)
    labels = tuple(sorted({*known["label"]}))
    if len(labels) <= 1:
        return {}
    rng = np.random.default_rng(2)
    probabilities = rng.dirichlet(np.full(len(labels), 0.2), len(known))
    zeros = np.zeros((1, len(labels)))
    model = Classifier(labels, zeros, zeros[0], threshold=0.7)
    columns = {f"nearest_{name}": known[name] for name in ("path", "label")}
    answers = add_answers(
        known.assign(series_learned=True, **columns), probabilities, model
    )
    return {"answers": answers, "evaluation": evaluate(answers, model)}
