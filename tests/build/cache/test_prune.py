"""What the cache holds in numbers, and what a prune frees: steps, and what they alone stand on."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest
from tests.build.cache.test_steps import layer

from millefeuille.build.cache.bounds import Bounds, collect
from millefeuille.build.cache.leaving import Usage
from millefeuille.build.cache.prune import Base, Held, Limits, held, prune
from millefeuille.build.cache.steps import StepCache
from millefeuille.store import leases
from millefeuille.store.images import LayerRecord
from millefeuille.store.recording import record_layers
from millefeuille.store.store import Store


def built(store: Store, **stacks: Sequence[str]) -> dict[str, LayerRecord]:
    """A build with steps of these names, in this order, each with its layers by name, lowest first."""
    made: dict[str, LayerRecord] = {}
    with leases.lease(store.disk, "build") as lease:
        cache = StepCache(store, lease)
        for step, names in stacks.items():
            for name in names:
                if name not in made:
                    made[name] = layer(store, cache, name.encode())
                    with store.writing() as tx:
                        record_layers(tx, (made[name],))
            cache.keep(step, [made[name] for name in names], took_ns=0)
    with store.writing() as tx:
        leases.sweep(tx)
    return made


def needed(store: Store, *layers: LayerRecord) -> None:
    """Have an image need these layers."""
    with store.writing() as tx:
        tx.execute("INSERT INTO images VALUES ('sha256:i', 'sha256:m', NULL, NULL, '', 0, 0, '', '', 0, 0)")
        tx.execute("INSERT INTO manifests VALUES ('sha256:m', 'sha256:i', 'type', 0)")
        for place, one in enumerate(layers):
            tx.execute(
                "INSERT INTO manifest_layers VALUES ('sha256:m', ?, ?, 'type', 0, ?)",
                (place, str(one.diff_id), str(one.diff_id)),
            )


def size(one: LayerRecord) -> int:
    return one.tar_size + one.index_size


def now(store: Store) -> Held:
    with store.reading() as tx:
        return held(tx)


def steps(found: Sequence[Usage]) -> list[tuple[str, int, bool]]:
    return [(one.step.inputs, one.size, one.shared) for one in found]


def bases(found: Sequence[Base]) -> dict[object, tuple[int, str]]:
    return {one.layer: (one.size, one.step.inputs) for one in found}


def test_what_steps_stand_on_is_counted_once(store: Store) -> None:
    made = built(store, one="xya", two="xyb", three="xybc")
    found = now(store)
    assert steps(found.steps) == [
        ("one", size(made["a"]), False), ("two", size(made["b"]), False), ("three", size(made["c"]), False)
    ]  # fmt: skip
    assert bases(found.bases) == {made[name].diff_id: (size(made[name]), "three") for name in "xy"}


def test_what_an_image_needs_is_no_base_and_shared(store: Store) -> None:
    made = built(store, one="xa", two="yb")
    needed(store, made["x"], made["a"], made["b"])
    found = now(store)
    # The image has the second one's layer, but not that below: this goes with the step.
    assert steps(found.steps) == [("one", size(made["a"]), True), ("two", 0, False)]
    assert bases(found.bases) == {made["y"].diff_id: (size(made["y"]), "two")}
    gone = prune(store, Limits())
    assert steps(gone.steps) == [("one", 0, True), ("two", 0, False)]
    assert list(bases(gone.bases)) == [made["y"].diff_id]
    here = {name: os.path.exists(store.disk.layer(made[name].diff_id)) for name in made}
    assert here == {"x": True, "a": True, "y": False, "b": True}


@pytest.mark.parametrize("going", ["one", "two"])
def test_a_base_goes_with_the_last_step_on_it(store: Store, going: str) -> None:
    made = built(store, one="xa", two="xab")
    gone = prune(store, Limits(), lambda one: one.step.inputs == going)
    # What the other stands on stays, and is not told as free.
    own = "b" if going == "two" else "a"
    assert steps(gone.steps) == [(going, size(made["b"]) if going == "two" else 0, False)]
    assert gone.bases == []
    left = now(store)
    assert list(bases(left.bases)) == [made[name].diff_id for name in ("ax" if going == "one" else "x")]
    total = sum(one.size for one in (*left.steps, *left.bases))
    assert total == sum(size(made[name]) for name in made if name != own or going == "one")
    gone = prune(store, Limits())
    assert sum(one.size for one in (*gone.steps, *gone.bases)) == total
    assert now(store) == Held(steps=[], bases=[])


def test_bases_fill_the_room_that_there_is(store: Store) -> None:
    made = built(store, one="xya", two="zb")
    kept = size(made["z"]) + size(made["b"])
    assert prune(store, Limits(room=sum(map(size, made.values())))).steps == []
    gone = prune(store, Limits(room=kept + 1))
    assert ([one.step.inputs for one in gone.steps], len(gone.bases)) == (["one"], 2)
    assert len(now(store).steps) == 1
    for room, left in ((kept, 1), (kept - 1, 0)):
        limits = Bounds(least=0, most=room, free=0)
        collect(store, limits, mounts=0, free=1 << 30, now_ns=0)
        assert len(now(store).steps) == left


def test_of_a_stack_only_what_is_too_much_goes(store: Store) -> None:
    made = built(store, one="xa", two="xab", three="xabc", other="yd", alone="e")
    room = sum(map(size, made.values())) - 1
    left = ["one", "two", "three", "other", "alone"]
    for going in ("three", "two", "one", "other", "alone"):
        # What is at the top goes before what it stands on; then what was used longest ago.
        assert [one.step.inputs for one in prune(store, Limits(room=room)).steps] == [going]
        left.remove(going)
        assert [one.step.inputs for one in now(store).steps] == left
        room = sum(one.size for one in (*now(store).steps, *now(store).bases)) - 1


def test_what_stays_keeps_what_it_stands_on(store: Store) -> None:
    built(store, one="xa", two="xab")
    limits = Limits(room=0)
    assert prune(store, limits, lambda one: one.step.inputs == "one").steps == []
    # Two that end alike: one of them frees nothing, but what they stand on comes after both.
    built(store, three="xab")
    assert [one.step.inputs for one in prune(store, limits).steps] == ["two", "three", "one"]
