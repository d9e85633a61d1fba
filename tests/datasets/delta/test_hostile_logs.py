"""Logs that list files outside of their table, and the flushing of logs to the disk."""

import json
import os
from pathlib import Path

import pytest
from delta_batches import batches, data_files, fail_if_computed, log_of
from kedro.io import DatasetError

from fruits_pipeline.datasets import DeltaBatches, DeltaPandas, DeltaSpark
from fruits_pipeline.datasets.delta.tables import open_log
from fruits_pipeline.datasets.delta.writer import TableWriter
from fruits_pipeline.errors import FruitsError

pytestmark = pytest.mark.usefixtures("spark")


def list_file(table: DeltaBatches, path: str, batch: str = "000002") -> None:
    """Commit an action that adds a file, as another program could."""
    version = log_of(table).version + 1
    action = {
        "path": path,
        "partitionValues": {"batch": batch},
        "size": 1,
        "modificationTime": 1,
        "dataChange": True,
        "stats": '{"numRecords": 1}',
    }
    log = Path(table.filepath, "_delta_log", f"{version:020}.json")
    log.write_text(json.dumps({"add": action}))


@pytest.mark.parametrize(
    ("path", "batch"),
    [
        ("{outside}", "000002"),
        ("file://{outside}", "000002"),
        ("s3://bucket/batch=000002/part.parquet", "000002"),
        ("batch=000002/../../outside.parquet", "000002"),
        ("batch=000002/%2e%2e/%2e%2e/outside.parquet", "000002"),
        ("batch=000002/..%2F..%2Foutside.parquet", "000002"),
        ("../outside.parquet", "000002"),
        ("batch=000002/part\\..\\outside.parquet", "000002"),
        ("batch=000002/part.parquet", "../../outside"),
        ("batch=000002/part.parquet", "000003"),
    ],
)
def test_file_outside_of_its_batch_is_neither_read_nor_deleted(
    images: DeltaBatches, tmp_path: Path, path: str, batch: str
) -> None:
    images.save(batches({"000001": ["a"]}))
    (file,) = data_files(images)
    outside = tmp_path / "outside.parquet"
    outside.write_bytes(file.read_bytes())
    list_file(images, path.format(outside=outside), batch)
    location = {"filepath": images.filepath, "table": "images"}
    for dataset in (images, DeltaSpark(**location), DeltaPandas(**location)):
        with pytest.raises(DatasetError, match="path .* of a file of batch"):
            dataset.load()
    with pytest.raises((FruitsError, DatasetError), match="of a file of batch"):
        images.save({"000003": fail_if_computed})
    assert outside.exists()
    assert file.exists()


def test_file_of_another_program_in_the_folder_of_its_batch_is_read(
    images: DeltaBatches,
) -> None:
    images.save(batches({"000001": ["a"]}))
    (file,) = data_files(images)
    name = "part-00000-3f8a.c000.snappy.parquet"
    file.with_name(name).write_bytes(file.read_bytes())
    list_file(images, f"batch=000001/{name}", "000001")
    log = open_log(images.filepath)
    assert log
    assert f"batch=000001/{name}" in {file.path for file in log.files}


def test_commits_and_checkpoints_are_flushed_to_the_disk(
    images: DeltaBatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[Path] = []
    fsync = os.fsync

    def record(descriptor: int) -> None:
        flushed.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    images.save(batches({"000001": ["a"]}))
    writer = TableWriter(log_of(images))
    writer.claim()
    for _ in range(10):  # a checkpoint is written every 10 commits
        writer.commit()
    log = Path(images.filepath, "_delta_log")
    assert {*log.iterdir()} <= {*flushed}
    assert list(log.glob("*.checkpoint.parquet"))
