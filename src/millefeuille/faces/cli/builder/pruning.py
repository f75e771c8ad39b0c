"""Removing build cache, for `builder prune` and `system prune`."""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.annotations import NamedTuple
from millefeuille.build.cache.prune import Limits, prune
from millefeuille.build.running import caches, kept
from millefeuille.docker.shapes.buildcache import Cached
from millefeuille.engine.running import remains, run_host
from millefeuille.faces.cli.builder.cached import of_base, of_mount, of_root, of_step
from millefeuille.settings import Settings
from millefeuille.store.journal import note_prune
from millefeuille.store.store import Store


class Wish(NamedTuple):
    """What may go: without `every`, only what nothing else needs; what was used after `since_ns` stays, and
    of the rest as much as fits into `room` bytes; `kind` and `id` choose further, "" is any.
    """

    every: bool
    since_ns: int | None = None
    room: int | None = None
    kind: str = ""
    id: str = ""


def pruned(settings: Settings, store: Store, wish: Wish) -> list[Cached]:
    """Remove steps, with what only they need, cache mounts, and what failed steps left; what went."""
    gone: list[Cached] = []
    if wish.kind in ("", "regular"):
        # Without `every`, what an image is made of stays found by its next build.
        limits = Limits(since_ns=wish.since_ns, room=wish.room)
        went = prune(store, limits, lambda one: _fits(of_step(one), wish))
        gone += [*map(of_step, went.steps), *map(of_base, went.bases)]
    if wish.room is None and remains(settings):
        # What commands wrote may belong to users that only its user namespace has.
        host = run_host(settings, store)
        if wish.kind in ("", "exec.cachemount"):
            old = caches.prune(
                host.caches, lambda one: _is_old(one.used, wish) and _fits(of_mount(one), wish)
            )  # fmt: skip
            gone += [of_mount(one) for one in old]
        if wish.kind in ("", "exec.failed"):
            roots = kept.prune(
                host, lambda one: _is_old(one.failed, wish) and _fits(of_root(one), wish)
            )  # fmt: skip
            gone += [of_root(one) for one in roots]
    note_prune(store.disk.journal, "builder", freed(gone))
    return gone


def freed(gone: Iterable[Cached]) -> int:
    """The bytes that are free when these are gone."""
    return sum(one.size for one in gone if not one.shared)


def _is_old(used: float, wish: Wish) -> bool:
    return wish.since_ns is None or used * 1e9 < wish.since_ns


def _fits(one: Cached, wish: Wish) -> bool:
    return (wish.every or not one.shared) and one.id.startswith(wish.id[:12])
