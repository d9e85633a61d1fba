from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from moment_trees import MemoryStore, moment_tree

from fruits_pipeline.models.moment_tree import FANOUT, MomentTree
from fruits_pipeline.models.moments import EMPTY, Moments, merge_all, moments_of

RNG = np.random.default_rng(18)
WIDTH = 5


def moments(count: int, first: int = 1) -> dict[str, Moments]:
    """Return the moments of batches of a few random vectors with large means."""
    return {
        f"{number:06d}": moments_of(RNG.normal(1000, 3, (4, WIDTH)))
        for number in range(first, first + count)
    }


def assert_equal(found: Moments, expected: Moments) -> None:
    """Compare bit by bit."""
    assert found.n == expected.n
    np.testing.assert_array_equal(found.mean, expected.mean)
    np.testing.assert_array_equal(found.comoment, expected.comoment)


def assert_close(found: Moments, expected: Moments) -> None:
    """Compare with the tolerance that the module documents."""
    assert found.n == expected.n
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-12)
    scale = np.abs(expected.comoment).max()
    np.testing.assert_allclose(
        found.comoment, expected.comoment, rtol=0, atol=1e-12 * scale
    )


def counted(
    values: Mapping[str, Moments], store: MemoryStore
) -> tuple[MomentTree, list[str]]:
    """Return a tree, and the batches that it reads."""
    tree, read = moment_tree(values, store), list[str]()

    def load(name: str) -> Moments:
        read.append(name)
        return values[name]

    return MomentTree(tree.keys, load, store), read


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 63, 64, 65, 200])
def test_total_is_that_of_all_vectors(count: int) -> None:
    values = moments(count)
    tree = moment_tree(values)
    assert_close(tree.total(tree.names), merge_all(values.values()))


@pytest.mark.parametrize("count", [3, 8, 20, 130])
def test_total_is_the_same_with_and_without_stored_nodes(count: int) -> None:
    values, store = moments(count), MemoryStore()
    first = moment_tree(values, store).total(values)
    assert_equal(moment_tree(values, store).total(values), first)
    assert_equal(moment_tree(values).total(values), first)


def test_total_does_not_depend_on_the_order_in_which_batches_were_added() -> None:
    values, store = moments(100), MemoryStore()
    for end in (5, 30, 31, 70, 100):  # after each run
        known = {name: values[name] for name in sorted(values)[:end]}
        found = moment_tree(known, store).total(known)
    assert_equal(found, moment_tree(values).total(values))


@pytest.mark.parametrize("count", [64, 600, 4000])
def test_number_of_reads_is_logarithmic(count: int) -> None:
    values, store = moments(count), MemoryStore()
    moment_tree(values, store).total(values)
    tree, read = counted(values, store)
    tree.total(values)
    levels = np.ceil(np.log(count + 1) / np.log(FANOUT))
    assert len(read) + len(store.read) <= (FANOUT - 1) * levels
    assert len(store.nodes) <= count / (FANOUT - 1)


def test_total_of_new_batches_reads_only_these_and_nodes_of_them() -> None:
    values, store = moments(600), MemoryStore()
    moment_tree(values, store).total(values)
    new = sorted(values)[300:]
    tree, read = counted(values, store)
    found = tree.total(new)
    assert {*read} <= {*new}
    assert len(read) + len(store.read) <= 2 * (FANOUT - 1) * 4
    assert_close(found, merge_all(values[name] for name in new))


def test_changed_batch_is_merged_again_and_other_branches_are_not_read() -> None:
    values, store = moments(200), MemoryStore()
    moment_tree(values, store).total(values)
    before = {*store.nodes}
    changed = values | {"000050": moments_of(RNG.normal(1000, 3, (3, WIDTH)))}
    tree, read = counted(changed, store)
    assert_equal(tree.total(changed), moment_tree(changed).total(changed))
    siblings = [f"{number:06d}" for number in range(48, 56)]
    assert [name for name in read if name < "000192"] == siblings
    assert len(before - {*store.nodes}) == 2  # of 8 and of 64 batches
    assert_close(tree.total(changed), merge_all(changed.values()))


def test_deleted_batches_do_not_count_and_their_nodes_are_deleted() -> None:
    values, store = moments(200), MemoryStore()
    moment_tree(values, store).total(values)
    kept = {name: values[name] for name in values if not "000010" <= name < "000120"}
    fresh = MemoryStore()
    found = moment_tree(kept, store).total(kept)
    assert_equal(found, moment_tree(kept, fresh).total(kept))
    assert_close(found, merge_all(kept.values()))
    assert {*store.nodes} == {*fresh.nodes}


def test_small_tables_store_nothing() -> None:
    values, store = moments(FANOUT - 1), MemoryStore()
    assert_equal(moment_tree(values, store).total(values), merge_all(values.values()))
    assert store.nodes == {}


def test_batches_without_photos_are_ignored() -> None:
    values = moments(20)
    with_empty = values | {"000007": EMPTY, "000030": EMPTY}
    expected = merge_all(m for name, m in values.items() if name != "000007")
    assert_close(moment_tree(with_empty).total(with_empty), expected)


@pytest.mark.parametrize("names", [[], ["000099"]])
def test_total_of_no_batch_is_empty(names: Sequence[str]) -> None:
    assert moment_tree(moments(3)).total(names) is EMPTY
    assert moment_tree({}).total(names) is EMPTY
