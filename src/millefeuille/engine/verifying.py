"""The engine's proof of advice: both Dockerfiles built, and what came of them compared.

build as it is ─► advice ─► rewritten ─► build ─► bytes and files compared
                               └► advice on order: one file touched, and what is in the cache counted
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence

from millefeuille.analysis.advice.advice import CACHE_MOUNT, IGNORE, ORDER, Advice
from millefeuille.analysis.advice.differing import Differing, differing
from millefeuille.analysis.advice.edits import AddFlag, Ignore
from millefeuille.analysis.advice.rewrite import Rewritten, rewrite
from millefeuille.build.dockerfile.parser import parse
from millefeuille.build.report import Ended, Event, Reporter
from millefeuille.build.scratch import scratch
from millefeuille.build.sources import ignore
from millefeuille.engine.advising import Advised, advised, lines_of
from millefeuille.engine.analysis import Analysis
from millefeuille.engine.bases import Fetch
from millefeuille.engine.build import Order, Tree, build_image
from millefeuille.engine.stored import stored
from millefeuille.errors import Failed, MilleError
from millefeuille.images.remove import remove
from millefeuille.images.users import Users
from millefeuille.settings import Settings
from millefeuille.store.images import images
from millefeuille.store.store import Store
from millefeuille.values import dataclass, replace

_TOUCH = b"\n"  # what a file of the context is changed by


class Unverified(Failed):
    """The rewritten Dockerfile does not build."""


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
    image shows something else, but for what was advised to be left out.
    """

    advised: Advised
    rewritten: Rewritten
    before: int
    after: int
    differing: tuple[Differing, ...]
    hits: tuple[Hits, ...]

    @property
    def predicted(self) -> int:
        """The bytes that the advice which could be followed was to save."""
        return sum(one.size for one in self.advised.advice if one.edits)

    @property
    def achieved(self) -> int:
        """The bytes that it did."""
        return self.before - self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where builds are made for a comparison, and who is told of them."""

    settings: Settings
    store: Store
    reporter: Reporter
    fetch: Fetch
    users: Users


def verified(bench: Bench, order: Order, name: str) -> Verified:
    """Build `order`, follow the advice, build again, and compare; images that were not there before go again.

    Raises what builds raise, Unverified when only the rewritten Dockerfile does not build.
    """
    with contextlib.ExitStack() as stack:
        before = stack.enter_context(_built(bench, order))
        before.image = replace(before.image, name=name)
        lines = lines_of(bench.store, before.image)
        advice = advised(before.image, before.account, lines, order.dockerfile)
        rewritten = advice.rewritten
        other = _rewritten_order(order, rewritten)
        try:
            after = stack.enter_context(_built(bench, other))
        except MilleError as error:
            raise Unverified(
                f"the rewritten Dockerfile does not build: {error}", advice="The advice stands without proof."
            ) from error
        return Verified(
            advised=advice, rewritten=rewritten, before=before.account.stored, after=after.account.stored,
            differing=tuple(_unexpected(advice, differing(before.image, after.image))),
            hits=tuple(
                _hits(bench, order, advice, one) for one in advice.advice if one.kind == ORDER and one.trigger
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


def _unexpected(advice: Advised, found: Iterator[Differing]) -> Iterator[Differing]:
    edits = [edit for one in advice.advice if one.kind in (CACHE_MOUNT, IGNORE) for edit in one.edits]
    flags = [edit.flag for edit in edits if isinstance(edit, AddFlag)]
    targets = [flag.split("target=/")[1].split(",")[0] for flag in flags if "target=/" in flag]
    patterns = [edit.pattern for edit in edits if isinstance(edit, Ignore)]
    # What is left out wherever it lies; a path that is left out was removed in the end before, too.
    names = {pattern.removeprefix("**/").encode() for pattern in patterns if pattern.startswith("**/")}
    for one in found:
        cached = any((one.path + b"/").startswith(os.fsencode(target) + b"/") for target in targets)
        # A directory that was made only to hold a cache is gone with it.
        holding = one.how == "removed" and any(
            os.fsencode(target).startswith(one.path + b"/") for target in targets
        )
        if not (cached or holding or names & set(one.path.split(b"/"))):
            yield one


def _hits(bench: Bench, order: Order, advice: Advised, one: Advice) -> Hits:
    """Both orders built as they are, then looked up in the cache after a change."""
    rewritten = rewrite(advice.script, one.edits, advice.source, advice.escape)
    counts = []
    for each in (order, _rewritten_order(order, rewritten)):
        with _built(bench, each), _changed(bench, each, one) as changed:
            counts.append(_cached(bench, changed))
    (before, steps_before), (after, steps_after) = counts
    return Hits(
        advice=one, before=before, after=after, steps_before=steps_before, steps_after=steps_after
    )  # fmt: skip


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


@contextlib.contextmanager
def _changed(bench: Bench, order: Order, advice: Advice) -> Iterator[Order]:
    """The build with its trigger changed; a file is changed in a copy of the context."""
    trigger = advice.trigger
    if trigger is None:
        yield order
    elif trigger.kind == "argument":
        value = order.request.arguments.get(trigger.name, "")
        arguments = {**order.request.arguments, trigger.name: f"{value}-changed"}
        yield replace(order, request=replace(order.request, arguments=arguments))
    elif order.context is None:
        yield order
    else:
        with scratch(os.path.join(bench.settings.root, "build", "scratch-files")) as directory:
            root = os.path.join(directory, "context")
            _copy(order.context, root)
            path = os.path.join(root, trigger.name)
            if os.path.isfile(path):
                with open(path, "ab") as file:
                    file.write(_TOUCH)
            yield replace(order, context=Tree(path=root, ignore=order.context.ignore, lasting=False))


def _copy(tree: Tree, root: str) -> None:
    def left_out(directory: str, names: Sequence[str]) -> list[str]:
        below = os.path.relpath(directory, tree.path)
        paths = [os.path.normpath(os.path.join(below, name)) for name in names]
        if tree.ignore.exceptions:
            return []
        return [name for name, path in zip(names, paths, strict=True) if tree.ignore.leaves_out(path)]

    shutil.copytree(tree.path, root, symlinks=True, ignore=left_out)
