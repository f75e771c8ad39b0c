"""Growing chains: those of a build, to which each step adds a layer that the next one stands on.

To merge the whole chain again for each of them would cost what its base has in files. So what was added
since the last merged image is laid over that, one thin image for each layer; after some of them the chain
is merged once. Thin images have no names: they are gone with the process, however it ends.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.oci.digest import Digest
from millefeuille.oci.layer import chain_ids
from millefeuille.snapshots import attach
from millefeuille.snapshots.chain import Chain, chain_uuid
from millefeuille.snapshots.erofs.format import Device
from millefeuille.snapshots.erofs.image import write_image
from millefeuille.snapshots.erofs.mount import mount_chain
from millefeuille.snapshots.erofs.thin import thin_tree
from millefeuille.snapshots.snapshotter import Option
from millefeuille.snapshots.stacked import Lowers
from millefeuille.snapshots.storedlayers import check_sizes, open_index, tars
from millefeuille.store import chains
from millefeuille.store.images import LayerRecord
from millefeuille.store.store import Store

_MOST: Final = 16  # thin images over each other

# Shows a chain by its one merged image.
Whole = Callable[[Digest], Lowers]


class Growing:
    """Shows chains of the store; safe for several threads. `whole` shows one by its merged image."""

    def __init__(self, store: Store, whole: Whole) -> None:
        self._store = store
        self._whole = whole
        self._lock = threading.Lock()
        self._mounts: dict[Digest, int | None] = {}  # by the chain that ends with the layer
        self._can: bool | None = None  # whether the kernel lays them over each other; None: not tried yet

    def __call__(self, chain: Digest) -> Lowers:
        """What shows a chain. Raises as `whole` does, NoSuchChain, DamagedChain, BrokenLink."""
        layers, ids, base = self._plan(chain)
        if base == len(ids) - 1:
            return self._whole(chain)
        below = self._whole(ids[base])
        try:
            with self._lock:
                thin = self._thin(layers, ids, base, below.descriptors[0])
            if not thin:
                below.close()
                return self._whole(chain)
            return Lowers(descriptors=(*thin, *below.descriptors), holds=below.holds)
        except BaseException:
            below.close()
            raise

    def close(self) -> None:
        """Let go of the thin images. What was made of them stays."""
        with self._lock:
            for descriptor in self._mounts.values():
                if descriptor is not None:
                    os.close(descriptor)
            self._mounts.clear()

    def _plan(self, chain: Digest) -> tuple[Sequence[LayerRecord], Sequence[Digest], int]:
        """The layers, the chain that each ends, and the number of the one to stand on."""
        with self._store.reading() as tx:
            layers = chains.layers_of_chain(tx, chain)
            ids = [*chain_ids(layer.diff_id for layer in layers)]
            top = len(ids) - 1
            if self._can is not False:
                for number in range(top, max(top - _MOST, 0) - 1, -1):
                    if chains.metadata(tx, ids[number]) is not None:
                        return layers, ids, number
        return layers, ids, top

    def _thin(
        self, layers: Sequence[LayerRecord], ids: Sequence[Digest], base: int, below: int
    ) -> tuple[int, ...]:
        """Mounts of the layers above the base, the topmost first; none when one of them has to be merged."""
        held: list[int] = []
        check_sizes(self._store, layers[base + 1 :])
        for layer, id in zip(layers[base + 1 :], ids[base + 1 :], strict=True):
            if id not in self._mounts:
                self._mounts[id] = self._mounted(layer, id, held[-1] if held else below)
            mount = self._mounts[id]
            if mount is None:
                return ()
            held.append(mount)
        held.reverse()
        return tuple(map(os.dup, held)) if self._can_lay([*held, below]) else ()

    def _mounted(self, layer: LayerRecord, id: Digest, below: int) -> int | None:
        tree = thin_tree(open_index(self._store, layer), below)
        if tree is None:
            return None
        device = Device(tag=layer.diff_id.hex, size=layer.tar_size)
        image = write_image(tree, [device], uuid=chain_uuid(layer.diff_id), marks=True)
        descriptor = _nameless(self._store.disk.ingest)
        try:
            files.write(descriptor, image)
            path = f"/proc/self/fd/{descriptor}"
            return mount_chain(Chain(id=id, metadata=path, layers=tars(self._store, [layer])))[0]
        finally:
            os.close(descriptor)

    def _can_lay(self, descriptors: Sequence[int]) -> bool:
        """Whether the kernel lays what is attached nowhere over each other (Linux 6.13); tried once."""
        if self._can is not None:
            return self._can
        options: list[Option] = [("source", "overlay")]
        options += [("lowerdir+", descriptor) for descriptor in descriptors]
        try:
            os.close(attach.detached("overlay", options, read_only=True))
            self._can = True
        except OSError:
            self._can = False
        return self._can


def _nameless(directory: str) -> int:
    descriptor = files.create_nameless(directory, 0o400)
    if descriptor is None:
        path = f"{directory}/thin-{os.urandom(16).hex()}"
        descriptor = files.create(path, 0o400)
        files.unlink(path)
    return descriptor
