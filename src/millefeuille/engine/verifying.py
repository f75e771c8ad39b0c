"""The engine's proof of advice: both Dockerfiles built, and what came of them compared.

build as it is ─► advice ─► rewritten ─► build ─► bytes and files compared
                               └► advice on order: one file touched, and what is in the cache counted
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from millefeuille.analysis.advice.advice import CACHE_MOUNT, ORDER, Advice
from millefeuille.analysis.advice.differing import Differing, differing
from millefeuille.analysis.advice.edits import AddFlag, Ignore
from millefeuille.analysis.advice.rewrite import Rewritten
from millefeuille.analysis.advice.waste import IGNORE_FILE
from millefeuille.analysis.image import Image
from millefeuille.annotations import Final
from millefeuille.build.dockerfile.parser import parse
from millefeuille.build.report import Ended, Event, Reporter
from millefeuille.build.sources import ignore
from millefeuille.build.sources.directory import DirectorySource
from millefeuille.engine.advising import Advised, advised, contents_of, lines_of
from millefeuille.engine.analysis import Analysis
from millefeuille.engine.bases import Fetch
from millefeuille.engine.build import Order, build_image
from millefeuille.engine.stored import stored
from millefeuille.errors import Failed, MilleError
from millefeuille.images.remove import remove
from millefeuille.images.users import Users
from millefeuille.settings import Settings
from millefeuille.store.images import images
from millefeuille.store.store import Store
from millefeuille.values import dataclass, replace

_CONTENT: Final = "content"


class Unverified(Failed):
    """The rewritten Dockerfile does not build. `advised` is the advice that it follows."""

    advised: Advised | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """What a change of `trigger` leaves in the cache: steps of all that make layers, before and after."""

    advice: Advice
    before: int
    after: int
    steps_before: int
    steps_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What came of advice. Sizes are bytes of files in layers; `differing` has the paths at which the new
    image shows something else, but for what was advised to be left out, and but for `varying`: the files that
    are others whenever the Dockerfile is built as it is, as logs are.
    """

    advised: Advised
    rewritten: Rewritten
    before: int
    after: int
    differing: tuple[Differing, ...]
    varying: tuple[bytes, ...]
    hits: tuple[Hits, ...]

    @property
    def predicted(self) -> int:
        """The bytes that the advice which could be followed was to save."""
        return self.advised.size

    @property
    def achieved(self) -> int:
        """The bytes that it did."""
        return self.before - self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where builds are made for a comparison, and who is told of them; `ignore_file` is what counts as
    .dockerignore of the build.
    """

    settings: Settings
    store: Store
    reporter: Reporter
    fetch: Fetch
    users: Users
    ignore_file: str = IGNORE_FILE


def verified(bench: Bench, order: Order, name: str) -> Verified:
    """Build `order`, follow the advice, build again, and compare; images that were not there before go again.

    Raises what builds raise, Unverified when only the rewritten Dockerfile does not build.
    """
    with contextlib.ExitStack() as stack:
        before = stack.enter_context(_built(bench, order))
        before.image = replace(before.image, name=name)
        lines = lines_of(bench.store, before.image)
        contents = contents_of(bench.store, before.image)
        script = order.dockerfile
        advice = advised(before.image, before.account, lines, script, contents, bench.ignore_file)
        rewritten = advice.rewritten
        other = _rewritten_order(order, rewritten)
        try:
            after = stack.enter_context(_built(bench, other))
        except MilleError as error:
            failure = Unverified(
                f"the rewritten Dockerfile does not build: {error}", advice="The advice stands without proof."
            )
            failure.advised = advice
            raise failure from error
        found = tuple(_unexpected(advice, before.image, differing(before.image, after.image)))
        chance = _by_chance(bench, order, before.image, found)
        return Verified(
            advised=advice, rewritten=rewritten, before=before.account.stored, after=after.account.stored,
            differing=tuple(one for one in found if one.path not in chance), varying=tuple(sorted(chance)),
            hits=tuple(
                hits
                for one in advice.advice
                if one.kind == ORDER and one.edits
                for hits in _hits(bench, order, other, one)
            ),
        )  # fmt: skip


@contextlib.contextmanager
def _built(bench: Bench, order: Order) -> Iterator[Analysis]:
    store = bench.store
    with store.reading() as tx:
        there = {record.id for record in images(tx)}
    made = build_image(bench.settings, store, order, bench.reporter, bench.fetch)
    if made.recorded is None:
        raise Unverified("the build left no image in the store")
    image = made.recorded.image
    try:
        found = stored(store, str(image))
        found.kept = None
        yield found
    finally:
        if image not in there:
            with store.writing() as tx:
                remove(tx, str(image), bench.users, force=True)


def _rewritten_order(order: Order, rewritten: Rewritten) -> Order:
    context = order.context
    if context is not None and rewritten.ignored:
        patterns = (*context.ignore.patterns, *rewritten.ignored)
        context = replace(context, ignore=ignore.Ignore(patterns))
    text = rewritten.text.encode()
    return replace(
        order, dockerfile=parse(text, name=order.dockerfile.name), source=text, context=context,
        series=f"{order.series}-advised",
    )  # fmt: skip


def _by_chance(bench: Bench, order: Order, image: Image, found: tuple[Differing, ...]) -> set[bytes]:
    """Those of `found` that have other content when the Dockerfile is built once more as it is, too: which is
    done only where some have; none if it fails.
    """
    others = {one.path for one in found if one.how == _CONTENT}
    if not others:
        return others
    anew = replace(order, request=replace(order.request, no_cache=frozenset()))
    try:
        with _built(bench, anew) as again:
            varying = (one.path for one in differing(image, again.image) if one.how == _CONTENT)
            return others.intersection(varying)
    except MilleError:
        return set()


def _unexpected(advice: Advised, before: Image, found: Iterator[Differing]) -> Iterator[Differing]:
    edits = [edit for one in advice.advice if one.kind == CACHE_MOUNT for edit in one.edits]
    flags = [edit.flag for edit in edits if isinstance(edit, AddFlag)]
    targets = [flag.split("target=/")[1].split(",")[0] for flag in flags if "target=/" in flag]
    # A path that is left out was removed in the end before, too, or is one of these.
    ignored = _ignored(advice, before)
    for one in found:
        cached = any((one.path + b"/").startswith(os.fsencode(target) + b"/") for target in targets)
        # A directory that was made only to hold a cache is gone with it.
        holding = one.how == "removed" and any(
            os.fsencode(target).startswith(one.path + b"/") for target in targets
        )
        if not (cached or holding or one.path in ignored):
            yield one


def _ignored(advice: Advised, before: Image) -> frozenset[bytes]:
    """The paths at which a COPY put what is advised to be left out wherever it lies in the context."""
    found: set[bytes] = set()
    for one in advice.advice:
        names = {
            os.fsencode(edit.pattern.removeprefix("**/")) for edit in one.edits
            if isinstance(edit, Ignore) and edit.pattern.startswith("**/")
        }  # fmt: skip
        for step in (advice.script[number] for number in one.steps):
            if names and step.copies and step.layer >= 0:
                paths = before.parts[step.layer].layer.paths
                found.update(path for path in paths if names & set(path.split(b"/")))
    return frozenset(found)


def _hits(bench: Bench, order: Order, other: Order, one: Advice) -> Iterator[Hits]:
    """The build as it is and with all advice followed, then both looked up in the cache after a change;
    nothing where what is to change is not in the context.
    """
    counts = []
    for each in (order, other):
        changed = _changed(each, one)
        if changed is None:
            return
        with _built(bench, each):
            counts.append(_cached(bench, changed))
    (before, steps_before), (after, steps_after) = counts
    yield Hits(advice=one, before=before, after=after, steps_before=steps_before, steps_after=steps_after)


class _Counting:
    def __init__(self) -> None:
        self.outcomes: dict[int, str] = {}

    def report(self, event: Event) -> None:
        """Remember what became of each step."""
        if isinstance(event, Ended) and event.vertex.place > 1:
            self.outcomes[event.vertex.number] = event.outcome


def _cached(bench: Bench, order: Order) -> tuple[int, int]:
    """How many steps are in the cache, and of how many."""
    counting = _Counting()
    steps = sum(len(stage.instructions) for stage in order.dockerfile.stages)
    build_image(bench.settings, bench.store, replace(order, rehearsal=True), counting, bench.fetch)
    return sum(outcome == "cached" for outcome in counting.outcomes.values()), steps


def _changed(order: Order, advice: Advice) -> Order | None:
    """The build with its trigger changed, to be rehearsed; None where there is nothing to change."""
    trigger, context = advice.trigger, order.context
    if trigger is None:
        return None
    if trigger.kind == "argument":
        value = order.request.arguments.get(trigger.name, "")
        arguments = {**order.request.arguments, trigger.name: f"{value}-changed"}
        return replace(order, request=replace(order.request, arguments=arguments))
    if context is None:
        return None
    with DirectorySource(context.path, ignore=context.ignore) as source:
        touched = source.file(trigger.name)
    return replace(order, context=replace(context, touched=touched)) if touched else None
