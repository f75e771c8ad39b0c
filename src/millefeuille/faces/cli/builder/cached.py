"""What the build cache holds, as rows: steps with their layers, what these stand on, cache mounts, and roots
of failed steps.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

from millefeuille.build.cache.leaving import Usage
from millefeuille.build.cache.prune import Base
from millefeuille.build.cache.prune import held as held_steps
from millefeuille.docker.shapes.buildcache import Cached
from millefeuille.engine.foreign import reach
from millefeuille.later import Later
from millefeuille.oci.moment import rfc3339
from millefeuille.settings import Settings
from millefeuille.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.build.running import caches, kept
    from millefeuille.snapshots import roots
else:  # most of the time there is no build cache but steps
    caches = Later("millefeuille.build.running.caches")
    kept = Later("millefeuille.build.running.kept")
    roots = Later("millefeuille.snapshots.roots")


def held(settings: Settings, store: Store) -> list[Cached]:
    """All that the cache holds, what was used last first."""
    with store.reading() as tx:
        kept_steps = held_steps(tx)
    found = [*map(of_step, kept_steps.steps), *map(of_base, kept_steps.bases)]
    work = os.path.join(settings.root, "build")
    mounts, failed = f"{work}/cache-mounts", f"{work}/kept"
    reach(settings.root, mounts, failed)
    if os.path.isdir(mounts):
        found += [of_mount(one) for one in caches.every(mounts)]
    if os.path.isdir(failed):
        found += [of_root(one) for one in kept.every(failed, roots.Roots(store.disk.snapshots))]
    return sorted(found, key=lambda one: -one.used)


def of_step(one: Usage) -> Cached:
    """A step."""
    step = one.step
    return Cached(
        id=step.key[:12], kind="regular", description=described(step.inputs), size=one.size,
        created=step.made_ns / 1e9, used=step.used_ns / 1e9, uses=step.uses, shared=one.shared,
    )  # fmt: skip


def of_base(one: Base) -> Cached:
    """A layer that steps stand on, and nothing else does."""
    step = one.step
    return Cached(
        id=one.layer.hex[:12], kind="regular", description=f"base of {described(step.inputs)}", size=one.size,
        created=step.made_ns / 1e9, used=step.used_ns / 1e9, uses=step.uses,
    )  # fmt: skip


def of_mount(one: caches.StoredCache) -> Cached:
    """A cache mount."""
    return Cached(
        id=one.key[:12], kind="exec.cachemount", description=f"cache mount {one.id}", size=one.size,
        created=one.used, used=one.used, in_use=one.is_in_use,
    )  # fmt: skip


def of_root(one: kept.StoredRoot) -> Cached:
    """What a step that failed left."""
    return Cached(
        id=one.id[:12], kind="exec.failed", description=f"failed {_command(one.arguments)}", size=one.size,
        created=one.failed, used=one.failed, in_use=one.is_in_use,
    )  # fmt: skip


def described(inputs: str) -> str:
    """A step in a few words, from what went into it."""
    fields = json.loads(inputs)
    kind = str(fields.get("op", "")).upper()
    if kind == "RUN":
        return _command(fields.get("arguments", ()))
    return f"{kind} {fields.get('destination') or fields.get('path') or ''}".strip()


def _command(arguments: Sequence[str]) -> str:
    return "RUN " + " ".join(" ".join(arguments).split())


def moment(seconds: float) -> str:
    """A time as RFC 3339 writes it."""
    return rfc3339(int(seconds * 1_000_000_000))
