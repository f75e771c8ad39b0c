"""What the build cache holds, as rows: steps with their layers, and cache mounts."""

from __future__ import annotations

import json
import os

from millefeuille.build.cache.prune import Usage, usage
from millefeuille.build.running.caches import StoredCache, every
from millefeuille.docker.shapes.buildcache import Cached
from millefeuille.oci.moment import rfc3339
from millefeuille.store.store import Store


def held(store: Store) -> list[Cached]:
    """All that the cache holds, what was used last first."""
    with store.reading() as tx:
        steps = [of_step(one) for one in usage(tx)]
    mounts = [of_mount(one) for one in every(os.path.join(store.disk.root, "build", "cache-mounts"))]
    return sorted([*steps, *mounts], key=lambda one: -one.used)


def of_step(one: Usage) -> Cached:
    """A step."""
    step = one.step
    return Cached(
        id=step.key[:12], kind="regular", description=described(step.inputs), size=one.size,
        created=step.made_ns / 1e9, used=step.used_ns / 1e9, uses=step.uses, shared=one.shared,
    )  # fmt: skip


def of_mount(one: StoredCache) -> Cached:
    """A cache mount."""
    return Cached(
        id=one.key[:12], kind="exec.cachemount", description=f"cache mount {one.id}", size=one.size,
        created=one.used, used=one.used, in_use=one.is_in_use,
    )  # fmt: skip


def described(inputs: str) -> str:
    """A step in a few words, from what went into it."""
    fields = json.loads(inputs)
    kind = str(fields.get("op", "")).upper()
    if kind == "RUN":
        return "RUN " + " ".join(" ".join(fields.get("arguments", ())).split())
    return f"{kind} {fields.get('destination') or fields.get('path') or ''}".strip()


def moment(seconds: float) -> str:
    """A time as RFC 3339 writes it."""
    return rfc3339(int(seconds * 1_000_000_000))
