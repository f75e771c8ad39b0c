"""The engine's builds: a Dockerfile and a context in, an image and an account of the build out.

    plan ─► build, stage by stage ─► image and names ─► account
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from millefeuille.build import journal as journals
from millefeuille.build.builder import build
from millefeuille.build.cache.steps import Source, StepCache
from millefeuille.build.dockerfile.dockerfile import Dockerfile
from millefeuille.build.epoch import argument_epoch
from millefeuille.build.journal import Account, Journal
from millefeuille.build.layering import Unmade
from millefeuille.build.outputs.finished import Finished
from millefeuille.build.outputs.image import Recorded, finish
from millefeuille.build.plan import Plan, Surroundings, plan
from millefeuille.build.report import Began, Ended, Noted, Reporter, Vertex
from millefeuille.build.request import Request
from millefeuille.build.scope import global_scope, platform_args, unconsumed
from millefeuille.build.sources.directory import DirectorySource
from millefeuille.build.sources.ignore import NOTHING, Ignore
from millefeuille.build.sources.memory import path_of
from millefeuille.build.sources.statcache import of_tree
from millefeuille.build.state import State
from millefeuille.engine import tending
from millefeuille.engine.bases import Fetch
from millefeuille.engine.workshop import Tools, workshop
from millefeuille.errors import MilleError
from millefeuille.later import Later
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.settings import Settings
from millefeuille.store import builds
from millefeuille.store.builds import BuildRecord
from millefeuille.store.leases import Lease
from millefeuille.store.names import check_name
from millefeuille.store.store import Store
from millefeuille.store.transit import transit
from millefeuille.values import dataclass, field, replace

TYPE_CHECKING = False
if TYPE_CHECKING:  # loaded by a build that asks for it
    from millefeuille.build.outputs.attest import AttestWish
    from millefeuille.build.outputs.delivery import Delivered, Delivery, Doors
    from millefeuille.build.sources import touched
else:
    touched = Later("millefeuille.build.sources.touched")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A directory of the host to build from, and what of it is left out.

    `lasting`: it may be built from again, so what was learned of its files is worth keeping. `touched` is a
    file, by its path from the directory on without links, that a rehearsal takes for changed; "" for none.
    """

    path: str
    ignore: Ignore = NOTHING
    lasting: bool = True
    touched: str = ""


# Takes the steps of a build somewhere; is told the layers of what came of it.
Export = Callable[[StepCache, Lease, frozenset[Digest]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caches:
    """Caches that lie elsewhere: what opens those to look into, and takes this build's steps to others."""

    imports: Callable[[], Sequence[Source]] = tuple
    exports: Export | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One build: `name` is what `build history` calls it, `series` the same for builds of the same thing.

    `source` is the Dockerfile's text. `context` is the build's own, None for none; `contexts` are the named
    ones: a tree, or an image's name. Without `platforms` it is for this machine's. `delivery` None is one
    image in the store, called `names`; `attest` is what is to be said of the images; `squash` makes one layer
    of all above the base image's; a `rehearsal` makes nothing; `caches` are
    other places for steps.
    """

    dockerfile: Dockerfile
    request: Request
    name: str
    series: str
    source: bytes = b""
    names: tuple[Reference, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    context: Tree | None = None
    contexts: Mapping[str, Tree | str] = field(default_factory=dict)
    platforms: tuple[Platform, ...] = ()
    pull: bool = False
    allowed: frozenset[str] = frozenset()
    delivery: Delivery | None = None
    attest: AttestWish | None = None
    squash: bool = False
    rehearsal: bool = False
    caches: Caches = field(default_factory=Caches)

    def delivering(self, delivery: Delivery, attest: AttestWish) -> Order:
        """The same, put out in another way."""
        return replace(self, delivery=delivery, attest=attest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What came of a build: the image of the store, None where nothing of it is there; what outputs have."""

    id: str
    recorded: Recorded | None = None
    delivered: Delivered | None = None


def build_image(
    settings: Settings, store: Store, order: Order, reporter: Reporter, fetch: Fetch,
    doors: Callable[[], Doors] | None = None,
) -> Built:  # fmt: skip
    """Build, and put out what came of it; `doors` are needed for a `delivery`.

    Raises DockerfileError, NoSuchTarget, StepFailed, NotFound for files and images, DiskFull, Vanished,
    BadLimit …; then no image was made, and the steps that were finished stay in the cache. NotAName is raised
    before anything is done.
    """
    for name in order.names:
        check_name(name)
    most = tending.limit(settings)
    with store.reading() as tx:
        last = next((_account(one) for one in builds.builds(tx, order.series)), None)
    journal = Journal(last)
    account = Account(id=os.urandom(6).hex(), name=order.name, started=time.time_ns())
    tools = Tools(
        reporter=reporter, journal=journal, fetch=fetch, pull=order.pull, allowed=order.allowed,
        rehearsal=order.rehearsal, imports=order.caches.imports,
    )  # fmt: skip
    cache: StepCache | None = None
    try:
        with contextlib.ExitStack() as stack:
            if order.rehearsal:
                with contextlib.suppress(Unmade):
                    _Build(settings, store, order, tools, stack).rehearse()
                return Built(id=account.id)
            building = _Build(settings, store, order, tools, stack)
            cache = building.cache
            made = building.run(account, doors)
    except MilleError as error:
        # Where the disk is full it cannot be written down; what is to be told is why the build failed.
        with contextlib.suppress(MilleError, OSError):
            _keep(store, order, replace(account, status="failed", error=str(error)), journal, cache)
        raise
    image = str(made.recorded.image) if made.recorded is not None else ""
    _keep(store, order, replace(account, image=image), journal, cache)
    tending.tend(settings, store, most)
    return made


class _Build:
    def __init__(
        self, settings: Settings, store: Store, order: Order, tools: Tools, stack: contextlib.ExitStack
    ) -> None:
        self._settings = settings
        self._store = store
        self._order = order = _dated(order)
        self._tools = tools
        self._numbers = 0
        trees = {name: tree for name, tree in order.contexts.items() if isinstance(tree, Tree)}
        self._images = {name: None if name in trees else str(one) for name, one in order.contexts.items()}
        context = stack.enter_context(self._source(order.context)) if order.context else None
        contexts = {name: stack.enter_context(self._source(tree)) for name, tree in trees.items()}
        self._workshop, self._lease = stack.enter_context(
            workshop(settings, store, order.request, tools, context=context, contexts=contexts)
        )

    @property
    def cache(self) -> StepCache:
        """The cache as this build sees it."""
        return self._workshop.layering.cache

    def run(self, account: Account, doors: Callable[[], Doors] | None) -> Built:
        if self._order.delivery is None and self._order.caches.exports is None:
            return self._run(account, doors)
        with transit(self._lease):  # what leaves the store is packed for that
            return self._run(account, doors)

    def _run(self, account: Account, doors: Callable[[], Doors] | None) -> Built:
        order, host = self._order, Platform.host()
        asked = order.platforms or (None,)
        plans, states = [], []
        for platform in asked:
            label = str(platform) if len(asked) > 1 else ""
            made, state = self._platform(platform, host, label)
            plans.append(made)
            states.append(self._finished(state))
        with self._exporting():
            cache = self.cache
            if order.caches.exports is not None:
                cache.hold()
                layers = frozenset(layer.diff_id for state in states for layer in state.layers)
                order.caches.exports(cache, self._lease, layers)
            if order.delivery is None or doors is None:
                recorded = finish(
                    self._store, states[0], order.names, self._lease, labels=order.labels, hold=cache.hold
                )  # fmt: skip
                return Built(id=account.id, recorded=recorded)
            cache.hold()
            # Most builds put an image into the store, and load nothing that can do more.
            delivering = importlib.import_module("millefeuille.engine.delivering")
            delivered: Delivered = delivering.deliver_all(
                self._store, states, plans, order.request, order.delivery, order.attest,
                account, doors(), self._lease, dockerfile=order.dockerfile.name, source=order.source,
            )  # fmt: skip
            return Built(id=account.id, recorded=delivered.recorded, delivered=delivered)

    def rehearse(self) -> None:
        """Look what is in the cache. Raises Unmade when not all is."""
        for platform in self._order.platforms or (None,):
            self._platform(platform, Platform.host(), "")

    def _finished(self, state: State) -> Finished:
        finished = state.finished(self._order.request.epoch)
        if not self._order.squash:
            return finished
        self.cache.hold()
        squash = importlib.import_module("millefeuille.build.outputs.squash")
        squashed: Finished = squash.squashed(self._store, finished, self._lease)
        return squashed

    def _platform(self, platform: Platform | None, host: Platform, label: str) -> tuple[Plan, State]:
        order, request = self._order, self._order.request
        predefined = platform_args(host, platform or host, request.target)
        scope = global_scope(order.dockerfile, request.arguments, predefined)
        around = Surroundings(
            scope=scope, bases=self._workshop.bases, platform=platform or host, contexts=self._images
        )
        made = plan(order.dockerfile, request.target, around)
        planned = [one for stage in made.stages for one in stage.instructions]
        self._warn(unconsumed(order.dockerfile, request.arguments, predefined, planned))
        self._note_bases(made)
        state, self._numbers = build(made, scope, self._workshop, label=label, first=self._numbers)
        return made, state

    def _warn(self, names: Sequence[str]) -> None:
        if names:
            message = f"[Warning] One or more build-args [{' '.join(names)}] were not consumed"
            self._tools.reporter.report(Noted(message=message))

    def _source(self, tree: Tree) -> DirectorySource:
        root = os.path.abspath(tree.path)
        if tree.touched:
            return touched.TouchedSource(root, tree.touched, ignore=tree.ignore)
        if not tree.lasting:
            return DirectorySource(root, ignore=tree.ignore)
        directory = os.path.join(self._settings.root, "build", "contexts")
        known, memory = of_tree(directory, root), path_of(directory, root)
        return DirectorySource(root, ignore=tree.ignore, cache=known, memory=memory)

    def _note_bases(self, made: Plan) -> None:
        for stage in made.stages:
            if not isinstance(stage.base, int) and stage.base.digest is not None:
                self._tools.journal.base(stage.base.name, str(stage.base.digest))

    @contextlib.contextmanager
    def _exporting(self) -> Iterator[None]:
        vertex = Vertex(number=self._numbers + 1, name="exporting to image")
        self._tools.reporter.report(Began(vertex=vertex))
        began = time.monotonic()
        yield
        took = time.monotonic() - began
        self._tools.reporter.report(Ended(vertex=vertex, outcome="done", took=took))


def _dated(order: Order) -> Order:
    """The order with the epoch that its arguments or its Dockerfile name, unless it has one."""
    request, host = order.request, Platform.host()
    if request.epoch is not None:
        return order
    predefined = platform_args(host, next(iter(order.platforms), host), request.target)
    epoch = argument_epoch(order.dockerfile, request.arguments, predefined)
    return order if epoch is None else replace(order, request=replace(request, epoch=epoch))


def series(*parts: str) -> str:
    """The name of a series of builds: the same for the same parts (context, Dockerfile, target)."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _account(record: BuildRecord) -> Account | None:
    try:
        return journals.parse(record.record)
    except (ValueError, TypeError, KeyError):  # of another version
        return None


def _keep(
    store: Store, order: Order, account: Account, journal: Journal, cache: StepCache | None
) -> None:  # fmt: skip
    whole = replace(account, ended=time.time_ns(), bases=journal.bases, entries=tuple(journal.entries))
    record = BuildRecord(id=whole.id, series=order.series, ended_ns=whole.ended, record=whole.text())
    with store.writing() as tx:
        builds.add(tx, record)
        if cache is not None:
            cache.finish(tx)
