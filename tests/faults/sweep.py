"""One interrupted act: run in a forked child whose file operations are watched, counted or struck."""

from __future__ import annotations

import os
import random
import shutil
import signal
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.scenarios import Scenario
from tests.store.state import State, recover, state, tidy

from millefeuille import files
from millefeuille.errors import MilleError
from millefeuille.faces.cli import exits
from millefeuille.snapshots.erofs.stored import make_metadata
from millefeuille.store.store import Store
from millefeuille.testing import file_faults
from millefeuille.testing.file_faults import Fault

Pair = tuple[str, str]  # operation and call site
DEFECT = "defect"


@dataclass(frozen=True)
class Outcome:
    """How a child ended: killed, an error's one line, or "" for success."""

    killed: bool
    message: str


def forked(work: Callable[[], None], hook: Callable[[str, object], None] | None) -> Outcome:
    """Run `work` in a child with `hook` at the file-operation seam."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child of a process with threads
        pid = os.fork()
    if pid == 0:
        os.close(reader)
        message = b"defect: did not run"
        try:
            files.hook = hook
            message = _run(work).encode()
        finally:
            files.hook = None
            os.write(writer, message[:60_000])
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        message = pipe.read()
    _, status = os.waitpid(pid, 0)
    return Outcome(os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, message.decode())


def _run(work: Callable[[], None]) -> str:
    try:
        work()
        return ""
    except Exception as error:
        known = exits.known(error)
        if isinstance(known, MilleError) and not str(known).startswith("internal error"):
            return str(known)
        return f"{DEFECT}: {traceback.format_exc()}"


def traced(work: Callable[[], None], log: Path) -> Counter[Pair]:
    """How often `work` does each operation at each call site."""
    outcome = forked(work, file_faults.hook(None, str(log)))
    assert outcome.message == "", outcome.message
    lines = log.read_text().splitlines()
    log.unlink()
    return Counter((operation, site) for operation, _, site in (line.partition("\t") for line in lines))


def occurrences(count: int, name: str, *, everything: bool) -> Sequence[int]:
    """Which of `count` occurrences are struck: the first and another; with `everything` all."""
    if everything:
        return range(1, count + 1)
    return sorted({1, random.Random(name).randint(min(count, 2), count)})


class Stage:
    """One scenario on disk: copies of its beginning, and the states it may come to."""

    def __init__(self, scenario: Scenario, directory: Path) -> None:
        self.scenario = scenario
        self._directory = directory
        self._count = 0
        self._given = str(directory / "given")
        self.log = directory / "trace"
        os.makedirs(directory, exist_ok=True)
        scenario.given(Store(self._given))
        before = self.fresh()
        before.create()  # a first command may have come no further
        recover(before, make_metadata)
        self.before = state(before)
        store = self.fresh()
        scenario.act(store)
        tidy(store)
        self.after = state(store)

    def fresh(self) -> Store:
        """A new copy of the beginning."""
        self._count += 1
        root = str(self._directory / f"copy{self._count}")
        if os.path.exists(self._given):
            shutil.copytree(self._given, root)
        return Store(root)

    def points(self) -> Counter[Pair]:
        """The operations of an undisturbed run."""
        store = self.fresh()
        counted = traced(lambda: self.scenario.act(store), self.log)
        self.drop(store)
        return counted

    def drop(self, store: Store) -> None:
        shutil.rmtree(store.disk.root, ignore_errors=True)

    def strike(self, fault: Fault, *, mend: bool) -> str:
        """Let `fault` strike, then recover, with `mend` by a check first; "" or what is wrong after that."""
        store = self.fresh()
        outcome = forked(lambda: self.scenario.act(store), file_faults.hook(fault))
        wrong = self._judge(store, fault, outcome, mend=mend)
        self.drop(store)
        return wrong and f"{self.scenario.name}: {fault}: {wrong}"

    def _judge(self, store: Store, fault: Fault, outcome: Outcome, *, mend: bool) -> str:
        if fault.effect == file_faults.KILL and not outcome.killed:
            return f"was not killed: {outcome.message}"
        if outcome.message.startswith(DEFECT) or "\n" in outcome.message:
            return f"no clear error: {outcome.message}"
        if mend:
            recover(store, make_metadata)
            now = state(store) if store.exists() else None
            if now is not None and now not in (self.before, self.after):
                return difference(now, self.before, self.after)
        try:
            self.scenario.act(store)
        except MilleError as error:
            if self.scenario.repeatable:
                return f"cannot be done again: {error}"
        recover(store, make_metadata)
        return "" if state(store) == self.after else difference(state(store), self.after)


def difference(found: State, *allowed: State) -> str:
    """Where a state departs from the nearest of the allowed ones."""
    return min((_difference(found, expected) for expected in allowed), key=len)[:2000]


def _difference(found: State, expected: State) -> str:
    parts = []
    for ours, theirs, what in zip(found, expected, ("file", "table"), strict=True):
        for key in sorted({*ours, *theirs}):
            if ours.get(key) != theirs.get(key):
                parts.append(f"{what} {key}: {ours.get(key)!r} is not {theirs.get(key)!r}")
    return "; ".join(parts)
