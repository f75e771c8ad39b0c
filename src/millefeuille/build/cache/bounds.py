"""Bounds: how much the cache of builds may hold by itself, and what goes when it holds more.

Nobody has to prune: at the end of a build, steps go that nothing else needs, those used longest ago first,
but none that another stands on; all that were not used for sixty days, and then as many as it takes. The
numbers are BuildKit's defaults.
"""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.annotations import Final
from millefeuille.build.cache.leaving import Usage, leaving, usage
from millefeuille.build.cache.stacks import Stacks
from millefeuille.store import leases, removal
from millefeuille.store.store import Store
from millefeuille.values import dataclass

_DAY: Final = 24 * 3600  # seconds
UNUSED: Final = 60 * _DAY
MOUNT_UNUSED: Final = 2 * _DAY
MOUNTS: Final = 512 << 20  # bytes of cache mounts that stay, however old they are
_LEAST, _MOST = 10 * 10**9, 100 * 10**9  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """In bytes: `least` may always be held, `most` never more, and less where less than `free` is free."""

    least: int
    most: int
    free: int

    def room(self, held: int, free: int) -> int:
        """How much may be held, where so much is, on a disk with `free` bytes left."""
        return max(self.least, min(self.most, held - (self.free - free)))


def bounds(disk: int, most: int | None = None) -> Bounds:
    """The bounds on a disk of so many bytes; `most` is somebody's own upper one."""
    upper = min(disk * 80 // 100, _MOST) if most is None else most
    return Bounds(least=min(disk * 10 // 100, _LEAST, upper), most=upper, free=disk * 20 // 100)


def collect(store: Store, limits: Bounds, *, mounts: int, free: int, now_ns: int) -> Sequence[Usage]:
    """Forget the steps that are too many or too old, and free their layers; those that went.

    `mounts` is what cache mounts hold, `free` what the disk has left, in bytes. Nothing goes while somebody
    builds, pulls or runs: it may need what looks unused. Raises ReadOnlyStore, BrokenDatabase.
    """
    with store.writing() as tx:
        if leases.anyone(store.disk):
            return []
        leases.sweep(tx)  # what claimed something is dead
        stacks = Stacks(tx)
        held = sum(stacks.layers().values())
        room = limits.room(held + mounts, free) - mounts
        asked = [one for one in usage(stacks) if not one.shared]
        going = leaving(stacks, asked, held - room, now_ns - UNUSED * 10**9)
        removal.remove_steps(tx, [one.step.key for one in going])
    return going
