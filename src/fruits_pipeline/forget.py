"""The command `kedro forget`: erase photos from everything below the root."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import click

from fruits_pipeline.datasets.erasure import erasing, store
from fruits_pipeline.datasets.erasure.receipt import Receipt
from fruits_pipeline.datasets.erasure.resuming import begin, begun_terms
from fruits_pipeline.datasets.erasure.search import search
from fruits_pipeline.datasets.erasure.selection import Selection, check_found, select
from fruits_pipeline.datasets.erasure.values import discard_shared
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.forget_root import Root, compute_again, open_root
from fruits_pipeline.hooks.errors import raise_for_user
from fruits_pipeline.io.forgotten import ForgottenPhotos, UnfinishedErasure
from fruits_pipeline.io.lease.held import hold_lease, release_lease
from fruits_pipeline.io.search_terms import FILE_NAME, SearchTerms
from fruits_pipeline.io.traces import Traces
from fruits_pipeline.reporting.theme import count_text
from fruits_pipeline.session_options import Options

logger = logging.getLogger(__name__)


def forget(arguments: Sequence[str], options: Options) -> None:
    """Erase photos, compute models and reports again, search, and write a receipt.

    An interrupted erasure is completed by any further call.

    Args:
        arguments: Paths or `photo_id` values. None of them: complete an interrupted
            erasure, and erase the photos that are in the list of erased photos.
        options: Options of `kedro run`.

    Raises:
        click.ClickException: A photo was not found, a table is damaged, another run is
            active, or the search has found traces.
    """
    try:
        root = open_root(options)
        _hold(root)
        receipt, traces = _erase(root, arguments)
        release_lease()  # the next run takes it
        problem = ""
        if traces.remaining:
            receipt.computed_again, problem = compute_again(root, options)
        _hold(root)
        _prove(root, receipt, traces)
    except Exception as exc:
        raise_for_user(exc)
    finally:
        release_lease()
    if problem:
        logger.warning(
            "The photos are erased, but not all results could be computed again: %s",
            problem,
        )


def _hold(root: Root) -> None:
    hold_lease(root.location, "kedro forget", wait=root.waits)


def _erase(root: Root, arguments: Sequence[str]) -> tuple[Receipt, Traces]:
    """Erase the photos from the results and tables."""
    forgotten = root.forgotten
    begun = begun_terms(root.search_terms, forgotten, arguments, root.photo_root)
    selection, traces = _begin(root, arguments, begun, forgotten)
    entry = traces.forgotten.unfinished or UnfinishedErasure()
    deleted = [p for s in entry.stages for p in erasing.delete_results(root.results[s])]
    receipt = Receipt(
        photos=len(entry.photos),
        is_resumed=forgotten.unfinished is not None,
        has_lost_terms=not begun.is_complete,
        rows=erasing.erase(root.tables, selection),
        versions=erasing.purge_all(root.tables),
        results=[path.removeprefix(f"{root.location}/") for path in deleted],
        backbones=erasing.find_backbones(root.location),
    )
    logger.info("Erased %d photos; deleted rows: %s", receipt.photos, receipt.rows)
    _compare_with_store(root, selection, traces.forgotten)
    return receipt, traces


def _begin(
    root: Root,
    arguments: Sequence[str],
    begun: SearchTerms,
    forgotten: ForgottenPhotos,
) -> tuple[Selection, Traces]:
    """Find the photos, and write what is needed to complete an interrupted erasure."""
    logs = erasing.open_logs(root.tables)
    if not logs:
        raise FruitsError(
            f"Found no tables below {root.location}; expected those of a run. Set `root` "
            "with --params root=<folder or s3://...>"
        )
    selection = select(logs, arguments, begun, forgotten, root.photo_root)
    check_found(selection, forgotten, root.photo_root, root.list_files)
    traces = Traces(forgotten, root.photo_root, remaining=selection.remaining)
    begun.add_to(traces)
    photos = erasing.collect(root.tables, logs, selection, traces)
    discard_shared(root.tables, traces)
    terms = SearchTerms.from_traces(traces, begun.is_complete)
    root.catalog.save("search_terms", terms)
    stages = erasing.existing(root.results) if photos else ()
    entry = begin(photos, forgotten.unfinished, selection.argument_paths, stages)
    traces.forgotten = replace(forgotten.add(photos), unfinished=entry)
    root.catalog.save("forgotten", traces.forgotten)
    return selection, traces


def _compare_with_store(
    root: Root, selection: Selection, forgotten: ForgottenPhotos
) -> None:
    """Print the photos that still exist in the photo root, and correct the counts."""
    listing = None
    try:
        listing = root.catalog.load("photo_store")
    except Exception as exc:  # noqa: BLE001 - the photos may have been moved
        logger.warning("The photo root was not searched for the photos: %s", exc)
    if root.catalog.exists("listing_counts"):
        counts = root.catalog.load("listing_counts")
        corrected = store.correct_counts(counts, selection.stored, listing)
        root.catalog.save("listing_counts", corrected)
    if listing is None:
        return
    if present := store.find_present(listing, forgotten, selection.stored):
        click.echo(
            f"Still in {root.photo_root}: {count_text(len(present), 'erased photo')}, not "
            "ingested again. Delete there what must not exist:"
        )
        for path in present:
            click.echo(f"  {path}")


def _prove(root: Root, receipt: Receipt, traces: Traces) -> None:
    """Search all files, write the receipt, and end the erasure in the list."""
    excluded = erasing.relative_path(root.photo_root, root.location)
    result = search(root.location, traces, excluded)
    if result.has_bytes and discard_shared(root.tables, traces):
        result = search(root.location, traces, excluded)
    path = receipt.write(root.location, traces, result)
    root.catalog.save("forgotten", replace(traces.forgotten, unfinished=None))
    erasing.delete_results([f"{root.location}/{FILE_NAME}"])
    click.echo(
        f"Erased {count_text(receipt.photos, 'photo')}. Searched "
        f"{result.files} files below {root.location} and found nothing of them. "
        f"Receipt: {path}"
    )
