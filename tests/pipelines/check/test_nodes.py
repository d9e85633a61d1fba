import pytest

from fruits_pipeline import schemas
from fruits_pipeline.datasets import StoredTable
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.pipelines.check.models import (
    CLASSIFY_REPORTS,
    Models,
    check_classify,
    check_models,
)
from fruits_pipeline.pipelines.check.nodes import raise_findings

DATA_FILE = "batch=000001/part-00000-0123abcd-0123abcd-0123456789abcdef-0123456789abcdef.parquet"
DAMAGED = FruitsError("damaged")
FINDING = {"where": "pca", "found": "x", "expected": "y", "repair": "make mend"}


@pytest.mark.parametrize(("number", "title"), [(1, "1 defect:"), (2, "2 defects:")])
def test_number_of_defects_has_the_right_form(number: int, title: str) -> None:
    with pytest.raises(FruitsError, match=f"^Found {title}\npca: found x"):
        raise_findings({"notes": [], "findings": [FINDING] * number})


def missing(models: Models, *files: str) -> list[str]:
    """Return the outputs of `classify` that `check` misses."""
    return [f.where for f in check_classify(models, dict.fromkeys(files))]


def test_missing_outputs_of_classify_are_reported() -> None:
    none = Models(pca=None, classifier=None, phone_model=None, backbone=None)
    reports = [f"report {name}" for name in CLASSIFY_REPORTS]
    assert missing(none, "rejects.csv") == []
    assert missing(none, *CLASSIFY_REPORTS) == ["classifier", "phone_model"]
    only_phone_model = Models(None, None, DAMAGED, None)
    assert missing(only_phone_model) == ["classifier", *reports]
    both = Models(None, DAMAGED, DAMAGED, None)
    assert missing(both, *CLASSIFY_REPORTS[1:]) == reports[:1]
    assert missing(both, *CLASSIFY_REPORTS) == []


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [({}, []), ({DATA_FILE: 9}, ["pca"])],
    ids=["none", "damaged"],
)
def test_missing_pca_is_reported_if_there_are_vectors(
    sizes: dict[str, int], expected: list[str]
) -> None:
    tables = {
        name: StoredTable(name, name, schemas.REDUCED, sizes, problem="a damaged log")
        for name in ("features", "reduced")
    }
    models = Models(pca=None, classifier=None, phone_model=None, backbone=None)
    assert [finding.where for finding in check_models(models, tables)] == expected
