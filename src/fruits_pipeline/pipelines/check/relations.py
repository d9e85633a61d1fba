"""Check that tables, models and the photo store belong together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from fruits_pipeline.datasets import Listing, StoredTable
from fruits_pipeline.datasets.delta.photo_hashes import are_in
from fruits_pipeline.datasets.photo_listing import to_files
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.exclusions import select_rows
from fruits_pipeline.io.forgotten import ForgottenPhotos, find_forgotten
from fruits_pipeline.io.left_out import FORGOTTEN, LeftOut, PathSample
from fruits_pipeline.pipelines.check.findings import MEND, RUN, Finding, shorten
from fruits_pipeline.pipelines.check.tables import InspectedTable
from fruits_pipeline.reporting.theme import count_text
from fruits_pipeline.spark.keys import path_hashes


def check_keys(table: InspectedTable, upstream: InspectedTable) -> Iterator[Finding]:
    """Check that a table has the keys of its upstream table, batch by batch."""
    if not table.table.exists or not upstream.table.exists:
        yield from _missing_table(table.table, upstream.table)
        return
    name, above = table.table.name, upstream.table.name
    only_valid = "error" not in table.table.schema.names
    expected = f"the keys (path, photo_id) of {above}" + " without errors" * (
        only_valid and above == "images"
    )
    stored, wanted = table.table.batches(), upstream.table.batches()
    for batch in sorted(stored.keys() | wanted.keys()):
        where = f"{name}, batch {batch}"
        if batch not in stored:
            rows = sum(file.rows for file in wanted[batch])
            found = f"no rows, but {rows} in {above}"
            yield Finding(where, found, expected, RUN)
        elif batch not in wanted:
            rows = sum(file.photos for file in stored[batch])
            found = f"{count_text(rows, 'row')}, but none in {above}"
            yield Finding(where, found, expected, MEND)
        else:
            digests = table.digest(batch, False), upstream.digest(batch, only_valid)
            if None not in digests and digests[0] != digests[1]:
                yield Finding(where, "other keys", expected, MEND)


def _missing_table(table: StoredTable, upstream: StoredTable) -> Iterator[Finding]:
    if table.exists and not upstream.exists and not upstream.problem:
        found = f"no table, but {table.name}"
        yield Finding(upstream.name, found, f"a table in {upstream.location}", MEND)
    if upstream.exists and not table.exists and not table.problem:
        found = f"no table, but {upstream.name}"
        yield Finding(table.name, found, f"a table in {table.location}", RUN)


def check_lineage(
    table: StoredTable, upstream: StoredTable, pca: str | None
) -> Iterator[Finding]:
    """Check that the recorded sources and recipe of a table are those of its upstream.

    Args:
        table: A table.
        upstream: Its upstream table.
        pca: Digest of the PCA, which is a source of `reduced`; None if there is none.
    """
    if not table.exists or not upstream.exists:
        return
    expected = [upstream.table_id, *([pca] if table.name == "reduced" else [])]
    found = [*table.source_ids]
    if found[:1] != expected[:1]:
        text = f"rows that were computed from another table than {upstream.name}"
        yield Finding(table.name, text, f"rows of {upstream.location}", RUN)
    elif found != expected and pca:
        text = "vectors that another PCA computed"
        yield Finding(table.name, text, "vectors of pca.npz", RUN)
    # A table of an older version lacks the parameters that were added since.
    common = table.recipe.keys() & upstream.recipe.keys()
    changed = sorted(n for n in common if table.recipe[n] != upstream.recipe[n])
    if changed or not table.recipe:
        text = f"another recipe than that of {upstream.name}: {', '.join(changed)}"
        yield Finding(table.name, text, "the same parameters in all tables", RUN)


def check_counts(tables: Mapping[str, StoredTable]) -> Iterator[Finding]:
    """Check that each photo has features or an error."""
    if not all(tables[name].exists for name in ("photos", "images", "features")):
        return
    photos, features = tables["photos"].rows, tables["features"].rows
    rejected = tables["images"].errors
    if photos != features + rejected:
        found = f"{photos} photos, {features} features and {rejected} rejected photos"
        yield Finding("all tables", found, "photos = features + rejected", MEND)


def check_photo_store(
    photos: InspectedTable,
    store: Listing | FruitsError,
    forgotten: ForgottenPhotos,
    extensions: list[str],
) -> tuple[dict[str, int], list[Finding]]:
    """Compare the listing of the photo root with the table `photos`.

    Returns:
        Counts of files and photos, and findings.
    """
    where = "photo root"
    if isinstance(store, FruitsError):
        found = Finding(where, str(store), "a listing, to compare", "", False)
        return {}, [found]
    stored = np.sort(photos.path_hashes())
    is_listed = np.zeros(len(stored), bool)
    left_out, new = LeftOut(), PathSample()
    left_out.merge(store.left_out)
    for table in store.files.tables():
        listed = select_rows(table, extensions, left_out)
        hashes = path_hashes(listed["path"].to_pylist())
        others = [*to_files(listed.filter(pa.array(~are_in(hashes, stored))))]
        erased = find_forgotten(others, forgotten, store.read).forgotten
        for file in erased:
            left_out.add(file.path, FORGOTTEN)
        new.add(*(file.path for file in others if file not in erased))
        is_listed |= are_in(stored, np.sort(hashes))
    ignored = sum(left_out.counts().values())
    counts = {
        "files": len(store.files) + sum(store.left_out.counts().values()),
        "left_out": ignored,
        "not_ingested": new.count,
        "gone": int((~is_listed).sum()),
    }
    findings: list[Finding] = []
    if photos.damaged or photos.table.problem:
        return counts, findings  # what the damaged files contain is unknown
    if new.count:
        examples = shorten(new.smallest, new.count)
        text = f"{count_text(new.count, 'photo')} not ingested, such as {examples}"
        findings.append(Finding(where, text, "none", RUN, False))
    if gone := counts["gone"]:
        text = f"no file of {count_text(gone, 'ingested photo')}"
        repair = f"{RUN} with ingest.gone=delete, which deletes the rows"
        findings.append(Finding(where, text, "all files", repair, False))
    return counts, findings
