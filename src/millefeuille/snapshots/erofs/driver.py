"""ErofsSnapshotter: overlayfs over the chain's one EROFS mount."""

from __future__ import annotations

from collections.abc import Callable

from millefeuille.oci.digest import Digest
from millefeuille.snapshots.chain import Chain
from millefeuille.snapshots.erofs.attached import Attached
from millefeuille.snapshots.erofs.mount import mount_chain
from millefeuille.snapshots.roots import InvalidKey, SnapshotExists, SnapshotNotFound
from millefeuille.snapshots.stacked import Lowers, StackedSnapshotter

# Shows a chain.
Shown = Callable[[Digest], Lowers]

__all__ = ["ErofsSnapshotter", "InvalidKey", "SnapshotExists", "SnapshotNotFound"]


class ErofsSnapshotter(StackedSnapshotter):
    """A Snapshotter under `directory`, which overlayfs must accept for its upper layer.

    `chains` gives the files of a chain; it raises NotFound for one it does not know. With `attached`, all
    roots on a chain share one mount of it; without, each has its own, which nobody else sees. `grown` makes,
    of what shows a chain by its one mount, what shows it in another way; for `lasting` see Roots.
    """

    def __init__(
        self,
        directory: str,
        chains: Callable[[Digest], Chain],
        attached: Attached | None = None,
        *,
        grown: Callable[[Shown], Shown] = lambda whole: whole,
        lasting: bool = True,
    ) -> None:
        release = attached.release_idle if attached else list
        super().__init__(directory, grown(shown(chains, attached)), release=release, lasting=lasting)


def shown(chains: Callable[[Digest], Chain], attached: Attached | None = None) -> Shown:
    """What shows a chain by its mount; as the snapshotter's arguments say."""

    def whole(id: Digest) -> Lowers:
        chain = chains(id)
        if attached is None:
            return Lowers(descriptors=(mount_chain(chain)[0],))
        descriptor, hold = attached.acquire(chain)
        return Lowers(descriptors=(descriptor,), holds=(hold,))

    return whole
