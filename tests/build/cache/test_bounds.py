"""What goes by itself: within bounds nothing, above them what was used longest ago."""

from __future__ import annotations

import pytest
from tests.build.cache.test_steps import layer

from millefeuille.build.cache.bounds import UNUSED, Bounds, bounds, collect
from millefeuille.build.cache.prune import held
from millefeuille.build.cache.steps import StepCache
from millefeuille.store import leases
from millefeuille.store.store import Store

GB = 10**9
WIDE = Bounds(least=GB, most=GB, free=0)


@pytest.mark.parametrize(
    ("disk", "most", "expected"),
    [
        (50 * GB, None, (5 * GB, 40 * GB, 10 * GB)),
        (1000 * GB, None, (10 * GB, 100 * GB, 200 * GB)),
        (50 * GB, 20 * GB, (5 * GB, 20 * GB, 10 * GB)),
        (50 * GB, GB, (GB, GB, 10 * GB)),
        (50 * GB, 0, (0, 0, 10 * GB)),
    ],
)
def test_bounds_follow_from_the_disk(disk: int, most: int | None, expected: tuple[int, int, int]) -> None:
    found = bounds(disk, most)
    assert (found.least, found.most, found.free) == expected


@pytest.mark.parametrize(
    ("held", "free", "room"),
    [
        (30, 50, 60),  # much is free: up to the most
        (30, 15, 25),  # five too few are free: as many have to go
        (30, 0, 10),
        (12, 0, 10),  # the least may always be held
        (5, 0, 10),
    ],
)
def test_a_full_disk_leaves_less_room(held: int, free: int, room: int) -> None:
    assert Bounds(least=10, most=60, free=20).room(held, free) == room


def kept(store: Store, *names: str) -> None:
    """A build with steps of these names, used in this order."""
    with leases.lease(store.disk, "build") as lease:
        cache = StepCache(store, lease)
        for name in names:
            cache.keep(name, [layer(store, cache, name.encode())], took_ns=0)


def names(store: Store) -> list[str]:
    with store.reading() as tx:
        return [one.step.inputs for one in held(tx).steps]


def test_what_is_too_much_goes_the_oldest_first(store: Store) -> None:
    kept(store, "a", "b", "c")
    with store.reading() as tx:
        sizes = [one.size for one in held(tx).steps]
        now = max(one.step.used_ns for one in held(tx).steps)
    room = Bounds(least=0, most=sum(sizes) - 1, free=0)
    assert collect(store, WIDE, mounts=0, free=GB, now_ns=now) == []
    assert [one.step.inputs for one in collect(store, room, mounts=0, free=GB, now_ns=now)] == ["a"]
    assert names(store) == ["b", "c"]
    # Cache mounts take of the same room.
    assert len(collect(store, WIDE, mounts=GB - sizes[-1], free=GB, now_ns=now)) == 1
    assert names(store) == ["c"]


def test_what_nobody_used_for_long_goes(store: Store) -> None:
    kept(store, "a", "b")
    with store.writing() as tx:
        tx.execute("UPDATE build_steps SET used_ns = 1000 WHERE inputs = 'a'")
    now = 1000 + UNUSED * GB
    assert collect(store, WIDE, mounts=0, free=GB, now_ns=now) == []
    assert [one.step.inputs for one in collect(store, WIDE, mounts=0, free=GB, now_ns=now + 1)] == ["a"]


def test_what_is_at_the_top_goes_first(store: Store) -> None:
    with leases.lease(store.disk, "build") as lease:
        cache = StepCache(store, lease)
        layers = [layer(store, cache, name) for name in (b"a", b"b", b"c")]
        for place, name in enumerate("abc"):
            cache.keep(name, layers[: place + 1], took_ns=0)
    with store.reading() as tx:
        total = sum(one.size for one in held(tx).steps)
    room = Bounds(least=0, most=total - 1, free=0)
    assert [one.step.inputs for one in collect(store, room, mounts=0, free=GB, now_ns=0)] == ["c"]
    with store.writing() as tx:  # one that was not used for long, below one that was
        tx.execute("UPDATE build_steps SET used_ns = 1000 WHERE inputs = 'a'")
    now = 1000 + UNUSED * GB + 1
    assert collect(store, WIDE, mounts=0, free=GB, now_ns=now) == []
    with store.writing() as tx:
        tx.execute("UPDATE build_steps SET used_ns = 1000")
    assert [one.step.inputs for one in collect(store, WIDE, mounts=0, free=GB, now_ns=now)] == ["b", "a"]


def test_nothing_goes_while_somebody_builds(store: Store) -> None:
    kept(store, "a")
    none = Bounds(least=0, most=0, free=0)
    with leases.lease(store.disk, "another build"):
        assert collect(store, none, mounts=0, free=0, now_ns=0) == []
    assert names(store) == ["a"]
    assert len(collect(store, none, mounts=0, free=0, now_ns=0)) == 1
