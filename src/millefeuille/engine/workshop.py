"""The engine's workshop for builds: store, cache, base images and what RUN needs, wired together."""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence

from millefeuille.build.cache.steps import Source, StepCache
from millefeuille.build.journal import Journal
from millefeuille.build.layering import Layering
from millefeuille.build.report import Noted, Reporter
from millefeuille.build.request import Request
from millefeuille.build.sources.directory import DirectorySource
from millefeuille.build.sources.remotes import Remotes
from millefeuille.build.steps.step import Runner, Workshop
from millefeuille.engine.bases import Fetch, StoredBases
from millefeuille.later import Later
from millefeuille.settings import Settings
from millefeuille.store import leases
from millefeuille.store.leases import Lease
from millefeuille.store.store import Store
from millefeuille.values import dataclass, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.build import reasons
else:  # most builds explain nothing
    reasons = Later("millefeuille.build.reasons")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a build is watched and fed by: a reporter, a journal, what brings images in; whether that is to
    ask the registry for what is here too; the entitlements that were granted. A `rehearsal` makes nothing.
    `imports` opens caches that lie elsewhere.
    """

    reporter: Reporter
    journal: Journal
    fetch: Fetch
    pull: bool = False
    allowed: frozenset[str] = frozenset()
    rehearsal: bool = False
    imports: Callable[[], Sequence[Source]] = tuple


@contextlib.contextmanager
def workshop(
    settings: Settings, store: Store, request: Request, tools: Tools,
    *, context: DirectorySource | None, contexts: Mapping[str, DirectorySource],
) -> Iterator[tuple[Workshop, Lease]]:  # fmt: skip
    """A workshop, and the lease that it claims everything for; what it used is the caller's to note."""
    lock, stack = threading.Lock(), contextlib.ExitStack()

    @functools.cache
    def made() -> Runner:
        running = importlib.import_module("millefeuille.engine.running")
        found: Runner = stack.enter_context(running.runner(settings, store, tools.allowed))
        return found

    def runner() -> Runner:
        with lock:
            return made()

    told = reasons.Reasons(store.disk, tools.reporter, tools.journal) if request.explain else None
    with stack:
        if os.geteuid() != 0 and not tools.rehearsal:
            runner()  # later there are threads, and no user namespace to be entered
        place = os.path.join(settings.root, "build", "scratch-files")
        if request.keys and not tools.rehearsal:
            request = _with_keys(settings, request, place, stack)
        lease = stack.enter_context(leases.lease(store.disk, "build"))
        cache = StepCache(store, lease, tools.imports(), lambda text: _warn(tools.reporter, text))
        yield (
            Workshop(
                layering=Layering(
                    store, cache, tools.reporter, tools.journal, told, rehearsal=tools.rehearsal
                ),
                request=request,
                bases=StoredBases(store, lease, tools.fetch, always=tools.pull),
                runner=runner,
                remotes=functools.cache(lambda: _remotes(settings, request)),
                scratch=place,
                context=context,
                contexts=contexts,
                allowed=tools.allowed,
            ),
            lease,
        )


def _with_keys(settings: Settings, request: Request, place: str, stack: contextlib.ExitStack) -> Request:
    """With agents that have the keys in the place of the keys."""
    key_agent = importlib.import_module("millefeuille.build.running.keyagent").key_agent
    environment = settings.environment
    own = {id: stack.enter_context(key_agent(place, keys, environment)) for id, keys in request.keys.items()}
    return replace(request, agents={**request.agents, **own}, keys={})


def _warn(reporter: Reporter, text: str) -> None:
    reporter.report(Noted(message=text))


def _remotes(settings: Settings, request: Request) -> Remotes:
    # What speaks to the network is loaded by a build that does.
    fetching = importlib.import_module("millefeuille.engine.remotes").Fetching

    def secret(id: str) -> bytes | None:
        given = request.secrets.get(id)
        return None if given is None else given.read()

    found: Remotes = fetching(settings.environment, secret, request.agents.get("default"))
    return found
