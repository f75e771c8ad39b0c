"""The cache of steps: what is found again, what is claimed, what a prune frees."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from millefeuille.build.cache.key import canonical, key
from millefeuille.build.cache.steps import StepCache, Vanished
from millefeuille.layers.entry import FILE
from millefeuille.layers.tarheader import Metadata
from millefeuille.store import leases, removal, steps, sweep
from millefeuille.store.images import LayerRecord
from millefeuille.store.making import store_layer
from millefeuille.store.store import Store


def layer(store: Store, cache: StepCache, name: bytes) -> LayerRecord:
    """A layer with one empty file, claimed."""
    entry = Metadata(path=name, kind=FILE, mode=0o644, uid=0, gid=0, mtime=0)
    record, _ = store_layer(store, iter([(entry, None)]), lambda content: cache.claim(content.diff_id))
    return record


@pytest.fixture
def cache(store: Store) -> Iterator[StepCache]:
    with leases.lease(store.disk, "build") as lease:
        yield StepCache(store, lease)


def test_keys_stand_for_inputs_in_any_order() -> None:
    assert canonical({"a": 1, "b": [2]}) == canonical({"b": [2], "a": 1})
    assert key(canonical({"a": 1})) != key(canonical({"a": "1"}))
    assert key("\udcff") != key("\udcfe")


def test_a_step_is_found_again_with_its_layer(store: Store, cache: StepCache) -> None:
    made = layer(store, cache, b"a")
    assert cache.find("one") is None
    cache.keep("one", [made], took_ns=5)
    found = cache.find("one")
    assert found is not None
    assert found.layer == made
    assert (found.took_ns, found.uses, found.inputs) == (5, 1, "one")
    with store.writing() as tx:
        cache.finish(tx)
    with store.reading() as tx:
        assert [step.uses for step in steps.steps(tx)] == [2]


def test_only_own_steps_count_for_one_that_is_made_anew(store: Store, cache: StepCache) -> None:
    cache.keep("one", [layer(store, cache, b"a")], took_ns=0)
    assert cache.find("one", own=True) is not None
    with leases.lease(store.disk, "another build") as lease:
        assert StepCache(store, lease).find("one", own=True) is None


def test_a_step_without_its_tar_is_not_found(store: Store, cache: StepCache) -> None:
    made = layer(store, cache, b"a")
    cache.keep("one", [made], took_ns=0)
    os.truncate(store.disk.tar(made.diff_id), 10)
    assert cache.find("one") is None


def test_what_a_prune_took_meanwhile_is_noticed(store: Store) -> None:
    with leases.lease(store.disk, "build") as lease:
        first = StepCache(store, lease)
        first.keep("one", [layer(store, first, b"a")], took_ns=0)
    with leases.lease(store.disk, "build") as lease:
        cache = StepCache(store, lease)
        assert cache.find("one") is not None
        with store.writing() as tx:
            removal.remove_steps(tx, [key("one")])
        with pytest.raises(Vanished):
            cache.hold()


def test_what_is_held_is_not_pruned(store: Store) -> None:
    with leases.lease(store.disk, "build") as lease:
        first = StepCache(store, lease)
        made = layer(store, first, b"a")
        first.keep("one", [made], took_ns=0)
    with leases.lease(store.disk, "build") as lease:
        cache = StepCache(store, lease)
        assert cache.find("one") is not None
        cache.hold()
        with store.writing() as tx:
            removal.remove_steps(tx, [key("one")])
        assert os.path.exists(store.disk.tar(made.diff_id))
    with store.writing() as tx:
        sweep.orphans(tx)
    assert not os.path.exists(store.disk.layer(made.diff_id))


def test_steps_keep_their_layers_through_a_sweep_and_go_with_a_prune(store: Store) -> None:
    with leases.lease(store.disk, "build") as lease:
        cache = StepCache(store, lease)
        below, above = layer(store, cache, b"a"), layer(store, cache, b"b")
        cache.keep("one", [below], took_ns=0)
        cache.keep("two", [below, above], took_ns=0)
    with store.writing() as tx:
        sweep.orphans(tx)
    for made in (below, above):
        assert os.path.exists(store.disk.tar(made.diff_id))
        assert os.path.exists(store.disk.blob(made.diff_id))
    with store.writing() as tx:
        removal.remove_steps(tx, [key("one")])
    assert os.path.exists(store.disk.tar(below.diff_id))  # the other step's stack has it
    with store.writing() as tx:
        removal.remove_steps(tx, [key("two")])
        assert tx.execute("SELECT chain FROM chains").fetchall() == []
    for made in (below, above):
        assert not os.path.exists(store.disk.layer(made.diff_id))
        assert not os.path.exists(store.disk.blob(made.diff_id))
