"""The engine's builds: a Dockerfile and a context in, an image and an account of the build out.

    plan ─► build, stage by stage ─► image and names ─► account
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from millefeuille.build import journal as journals
from millefeuille.build.builder import build
from millefeuille.build.dockerfile.dockerfile import Dockerfile
from millefeuille.build.journal import Account, Journal
from millefeuille.build.outputs.image import Recorded, finish
from millefeuille.build.plan import Plan, Surroundings, plan
from millefeuille.build.report import Began, Ended, Noted, Reporter, Vertex
from millefeuille.build.request import Request
from millefeuille.build.scope import global_scope, platform_args, unconsumed
from millefeuille.build.sources.directory import DirectorySource
from millefeuille.build.sources.ignore import NOTHING, Ignore
from millefeuille.build.sources.statcache import of_tree
from millefeuille.build.state import State
from millefeuille.engine.bases import Fetch
from millefeuille.engine.workshop import Tools, workshop
from millefeuille.errors import MilleError
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.settings import Settings
from millefeuille.store import builds
from millefeuille.store.builds import BuildRecord
from millefeuille.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A directory of the host to build from, and what of it is left out."""

    path: str
    ignore: Ignore = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One build: `name` is what `build history` calls it, `series` the same for builds of the same thing.

    `context` is the build's own, None for none; `contexts` are the named ones: a tree, or an image's name.
    """

    dockerfile: Dockerfile
    request: Request
    name: str
    series: str
    names: tuple[Reference, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    context: Tree | None = None
    contexts: Mapping[str, Tree | str] = field(default_factory=dict)
    pull: bool = False
    allowed: frozenset[str] = frozenset()


def build_image(
    settings: Settings, store: Store, order: Order, reporter: Reporter, fetch: Fetch
) -> Recorded:
    """Build, and record the image under its names.

    Raises DockerfileError, NoSuchTarget, StepFailed, NotFound for files and images, DiskFull, Vanished …;
    then no image was made, and the steps that were finished stay in the cache.
    """
    with store.reading() as tx:
        last = next((_account(one) for one in builds.builds(tx, order.series)), None)
    journal = Journal(last)
    account = Account(id=os.urandom(6).hex(), name=order.name, started=time.time_ns())
    try:
        with contextlib.ExitStack() as stack:
            made = _Build(settings, store, order, Tools(
                reporter=reporter, journal=journal, fetch=fetch, pull=order.pull, allowed=order.allowed,
            ), stack).run()  # fmt: skip
    except MilleError as error:
        _keep(store, order, replace(account, status="failed", error=str(error)), journal)
        raise
    _keep(store, order, replace(account, image=str(made.image)), journal)
    return made


class _Build:
    def __init__(
        self, settings: Settings, store: Store, order: Order, tools: Tools, stack: contextlib.ExitStack
    ) -> None:
        self._settings = settings
        self._store = store
        self._order = order
        self._tools = tools
        trees = {name: tree for name, tree in order.contexts.items() if isinstance(tree, Tree)}
        self._images = {name: None if name in trees else str(one) for name, one in order.contexts.items()}
        context = stack.enter_context(self._source(order.context)) if order.context else None
        contexts = {name: stack.enter_context(self._source(tree)) for name, tree in trees.items()}
        self._workshop, self._lease = stack.enter_context(
            workshop(settings, store, order.request, tools, context=context, contexts=contexts)
        )

    def run(self) -> Recorded:
        order, request = self._order, self._order.request
        host = Platform.host()
        predefined = platform_args(host, request.platform or host, request.target)
        scope = global_scope(order.dockerfile, request.arguments, predefined)
        self._warn(unconsumed(order.dockerfile, request.arguments, predefined))
        around = Surroundings(
            scope=scope, bases=self._workshop.bases, platform=request.platform or host, contexts=self._images
        )
        made = plan(order.dockerfile, request.target, around)
        self._note_bases(made)
        state = build(made, scope, self._workshop)
        return self._export(state)

    def _warn(self, names: Sequence[str]) -> None:
        if names:
            message = f"[Warning] One or more build-args [{' '.join(names)}] were not consumed"
            self._tools.reporter.report(Noted(message=message))

    def _source(self, tree: Tree) -> DirectorySource:
        root = os.path.abspath(tree.path)
        directory = os.path.join(self._settings.root, "build", "contexts")
        return DirectorySource(root, ignore=tree.ignore, cache=of_tree(directory, root))

    def _note_bases(self, made: Plan) -> None:
        for stage in made.stages:
            if not isinstance(stage.base, int) and stage.base.digest is not None:
                self._tools.journal.base(stage.base.name, str(stage.base.digest))

    def _export(self, state: State) -> Recorded:
        vertex = Vertex(number=1 << 20, name="exporting to image")
        self._tools.reporter.report(Began(vertex=vertex))
        began = time.monotonic()
        self._workshop.layering.cache.hold()
        recorded = finish(
            self._store, state.finished(self._order.request.epoch), self._order.names, self._lease,
            labels=self._order.labels,
        )  # fmt: skip
        took = time.monotonic() - began
        self._tools.reporter.report(Ended(vertex=vertex, outcome="done", took=took))
        return recorded


def series(*parts: str) -> str:
    """The name of a series of builds: the same for the same parts (context, Dockerfile, target)."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _account(record: BuildRecord) -> Account | None:
    try:
        return journals.parse(record.record)
    except (ValueError, TypeError, KeyError):  # of another version
        return None


def _keep(store: Store, order: Order, account: Account, journal: Journal) -> None:
    whole = replace(account, ended=time.time_ns(), bases=journal.bases, entries=tuple(journal.entries))
    record = BuildRecord(id=whole.id, series=order.series, ended_ns=whole.ended, record=whole.text())
    with store.writing() as tx:
        builds.add(tx, record)
