"""Builds with a large context: cold, with nothing new, with one new file; and the overhead of a RUN."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.builders import builders
from bench.contest import Goal, Result, Trial, contest
from bench.ground import Ground
from bench.tree import large_tree

_DOCKERFILE = "FROM scratch\nCOPY . /srv/\nLABEL a=b\n"


def cold(ground: Ground) -> tuple[Result, list[Goal]]:
    """The first build."""
    context = _context(ground)
    found = builders(ground)
    trials = [
        Trial(contestant=one.contestant, prepare=one.forget, act=partial(one.build, context, "bench/built"))
        for one in found
    ]
    result = contest("build", trials, ground.runs, [])
    for one in found:
        one.forget()
    goals = [
        *result.at_least(4, "classic", "mille"),
        *result.at_least(4, "buildah", "mille"),
        *result.at_least(2, "buildkit", "mille"),
    ]
    return result, goals


def cached(ground: Ground) -> tuple[Result, list[Goal]]:
    """The same build again."""
    return _again(ground, "rebuild", lambda context: None, 5)


def changed(ground: Ground) -> tuple[Result, list[Goal]]:
    """The same build again, with one file changed."""
    numbers = itertools.count()

    def change(context: Path) -> None:
        (context / "changed").write_text(f"{next(numbers)}\n")

    return _again(ground, "change", change, 1)


def _again(
    ground: Ground, title: str, change: Callable[[Path], None], bound: float
) -> tuple[Result, list[Goal]]:
    context = _context(ground)
    change(context)
    found = builders(ground)
    for one in found:
        one.forget()
        one.contestant.cost(one.build(context, "bench/built"))
    trials = [
        Trial(
            contestant=one.contestant, prepare=partial(change, context),
            act=partial(one.build, context, "bench/built"), warmth=partial(_look, context),
        )
        for one in found
    ]  # fmt: skip
    result = contest(title, trials, ground.runs)
    for one in found:
        one.forget()
    peers = ("classic", "buildah", "buildkit")
    return result, [goal for name in peers for goal in result.at_least(bound, name, "mille")]


def _look(context: Path) -> None:
    """Have the metadata of all files in memory, as somebody's who has just worked on them."""
    sum(1 for _ in context.rglob("*") if _.lstat())


def _context(ground: Ground) -> Path:
    context = ground.work / "context"
    if not context.exists():
        context.mkdir()
        large_tree(ground.image, context)
        (context / "Dockerfile").write_text(_DOCKERFILE)
    return context
