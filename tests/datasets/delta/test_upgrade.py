"""Tables of older and newer versions of this project."""

import re
from pathlib import Path

import pytest
from delta_batches import batches, fail_if_computed, log_of, stored_ids
from deltalake import DeltaTable

from fruits_pipeline.datasets import DeltaBatches
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.lineage import Lineage
from fruits_pipeline.schema_version import SCHEMA_VERSION

pytestmark = pytest.mark.usefixtures("spark")

OLD = Lineage({"preprocess.short_side": 64})
NEW = Lineage({"preprocess.short_side": 64, "preprocess.seconds_per_photo": 60})


def make_old(table: DeltaBatches) -> None:
    """Rewrite the first commit of a table as an older version did, without its version."""
    commit = Path(table.filepath) / "_delta_log/00000000000000000000.json"
    version = f'"fruits.schema_version":"{SCHEMA_VERSION}"'
    without, count = re.subn(f"{version},|,{version}", "", commit.read_text())
    assert count
    commit.write_text(without)


def test_new_table_states_its_version(images: DeltaBatches) -> None:
    images.save(batches({"000001": ["a"]}))
    version = log_of(images).properties["fruits.schema_version"]
    assert version == str(SCHEMA_VERSION)


def test_older_table_is_upgraded_without_computing_its_rows(
    images: DeltaBatches,
) -> None:
    images.prepare(OLD)
    images.save(batches({"000001": ["a"]}))
    make_old(images)
    assert "fruits.schema_version" not in log_of(images).properties
    table_id = log_of(images).table_id
    images.check(NEW)
    images.prepare(NEW)
    log = log_of(images)
    assert log.properties["fruits.schema_version"] == str(SCHEMA_VERSION)
    assert (log.recipe, log.table_id) == (NEW.recipe, table_id)
    images.save({"000001": fail_if_computed, **batches({"000002": ["b"]})})
    assert stored_ids(images) == {"000001": ["a"], "000002": ["b"]}


@pytest.mark.parametrize("version", ["99", "five"])
def test_table_of_a_newer_version_is_refused(
    images: DeltaBatches, version: str
) -> None:
    images.save(batches({"000001": ["a"]}))
    DeltaTable(images.filepath).alter.set_table_properties(
        {"fruits.schema_version": version}, raise_if_not_exists=False
    )
    message = (
        f"Found {images.filepath} of schema version {version}, .*"
        f"expected at most {SCHEMA_VERSION}.*Install the newer version"
    )
    with pytest.raises(FruitsError, match=message):
        images.check(Lineage())
    with pytest.raises(FruitsError, match=message):
        images.restore(Lineage(), None)
