"""StepCache: steps found again, and new ones kept, all through one build.

    find ──hit──► pending ──hold──► claimed, and seen to be there still
      └──miss─► make the layer ─► keep: layer durable ─► one transaction

Looking is cheap and claims nothing: a build of which nothing is new makes no transaction for its steps.
Before anything is done with what was found (a command run on it, files read from it, an image made of it),
`hold` claims it all; what a prune took meanwhile is noticed there.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from millefeuille import files
from millefeuille.annotations import Protocol
from millefeuille.build.cache.key import key
from millefeuille.errors import Conflict, MilleError
from millefeuille.oci.digest import Digest
from millefeuille.oci.layer import chain_ids
from millefeuille.store import images, leases, steps
from millefeuille.store.images import LayerRecord
from millefeuille.store.leases import Lease
from millefeuille.store.recording import add_chains
from millefeuille.store.steps import StepRecord
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction


class Vanished(Conflict):
    """A layer that the build was to stand on was pruned while it ran."""


class Told(Protocol):
    """What is said of a step elsewhere."""

    @property
    def made_ns(self) -> int:
        """When it was made, in nanoseconds since 1970."""

    @property
    def took_ns(self) -> int:
        """How long that took."""


class Source(Protocol):
    """A cache that lies elsewhere."""

    @property
    def what(self) -> str:
        """What errors call it."""

    def diff_id(self, name: str) -> Digest | None:
        """The layer of the step with that key; None when there is none."""

    def fetch(self, name: str) -> tuple[Told, LayerRecord]:
        """That step, and its layer, which is in the store then."""


class StepCache:
    """The cache as one build sees it, before those of `sources`. Safe for several threads.

    `warn` is told of a source that cannot be used.
    """

    def __init__(
        self, store: Store, lease: Lease, sources: Sequence[Source] = (),
        warn: Callable[[str], None] = lambda message: None,
    ) -> None:  # fmt: skip
        self._sources = list(sources)
        self._warn = warn
        self._store = store
        self._lease = lease
        self._lock = threading.Lock()
        self._making: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._pending: list[LayerRecord] = []
        self._used: set[str] = set()
        self._made: set[str] = set()
        self._stood: set[Digest] = set()

    @contextlib.contextmanager
    def alone(self, text: str) -> Iterator[None]:
        """Within the block no other thread of this build makes the step with these inputs."""
        with self._lock:
            lock = self._making[key(text)]
        with lock:
            yield

    def find(
        self, text: str, *, own: bool = False, below: Sequence[LayerRecord] = ()
    ) -> StepRecord | None:  # fmt: skip
        """The step with these inputs, when its layer is here or in an imported cache.

        With `own`, only one that this build made. `below` is the stack that the layer would be on top of.
        """
        name = key(text)
        if own and name not in self._made:
            return None
        with self._store.reading() as tx:
            found = steps.find(tx, name)
        if found is None or not self._is_here(found.layer):
            return None if own else self._imported(text, name, below)
        with self._lock:
            self._pending.append(found.layer)
            self._used.add(name)
        return found

    def hold(self) -> None:
        """Claim all that was found. Raises Vanished."""
        with self._lock:
            if not self._pending:
                return
            pending, self._pending = self._pending, []
        with self._store.writing() as tx:
            leases.claim(tx, self._lease, [layer.diff_id for layer in pending])
            gone = [layer for layer in pending if images.layer(tx, layer.diff_id) is None]
        if gone:
            raise Vanished(
                f"layer {gone[0].diff_id}: pruned while the build was using it", advice="Build again."
            )

    def keep(
        self, text: str, layers: Sequence[LayerRecord], *, took_ns: int, made_ns: int | None = None
    ) -> StepRecord:
        """Keep the step that made the last of `layers`, a whole stack, lowest first. The layer is claimed.

        `made_ns` is when it was made, when not now. Raises DiskFull, ReadOnlyStore, Failed.
        """
        now = time.time_ns()
        chains = tuple(chain_ids(layer.diff_id for layer in layers))
        step = StepRecord(
            key=key(text), layer=layers[-1], chain=chains[-1], inputs=text,
            made_ns=now if made_ns is None else made_ns, took_ns=took_ns, used_ns=now, uses=1,
        )  # fmt: skip
        with files.explained(f"the store {self._store.disk.root}", root=self._store.disk.root):
            self._store.blobs.settle()
            files.sync_directory(self._store.disk.layers)
        with self._store.writing() as tx:
            leases.claim(tx, self._lease, chains)
            steps.record(tx, step, tuple(layers), chains)
        with self._lock:
            self._made.add(step.key)
            self._stood.add(step.chain)  # its chains are recorded and claimed now
        return step

    def stand(self, layers: Sequence[LayerRecord]) -> None:
        """Make a stack of layers one that can be mounted: its chains recorded, and claimed."""
        chains = tuple(chain_ids(layer.diff_id for layer in layers))
        with self._lock:
            if not chains or chains[-1] in self._stood:
                return
            self._stood.add(chains[-1])
        with self._store.writing() as tx:
            leases.claim(tx, self._lease, chains)
            add_chains(tx, tuple(layers), chains)

    def _imported(self, text: str, name: str, below: Sequence[LayerRecord]) -> StepRecord | None:
        for source in list(self._sources):
            diff_id = source.diff_id(name)
            if diff_id is None:
                continue
            try:
                self._lease.claim((diff_id,))
                step, layer = source.fetch(name)
            except MilleError as error:
                # What is lost is time: the step is done instead.
                self._sources.remove(source)
                self._warn(f"cache {source.what} is left out: {error}")
                continue
            return self.keep(text, (*below, layer), took_ns=step.took_ns, made_ns=step.made_ns)
        return None

    def every(self) -> list[StepRecord]:
        """The steps that this build found or made, by key."""
        with self._lock:
            names = sorted(self._used | self._made)
        with self._store.reading() as tx:
            return [step for name in names if (step := steps.find(tx, name)) is not None]

    def claim(self, diff_id: Digest) -> None:
        """Claim a layer that is about to get its name."""
        self._lease.claim((diff_id,))

    def finish(self, tx: Transaction) -> None:
        """Say of what was found that it was of use."""
        if self._used:
            steps.touch(tx, self._used, time.time_ns())

    def _is_here(self, layer: LayerRecord) -> bool:
        try:
            size = os.stat(self._store.disk.tar(layer.diff_id)).st_size
        except FileNotFoundError:
            return False
        return size == layer.tar_size
