"""kill -9 of builds, and failing operations in them, at every operation on a file: the next build works and
makes the same image, the store is whole, nothing is left, and no secret is anywhere.
"""

from __future__ import annotations

import errno
import random
import signal
import subprocess
from collections.abc import Sequence

import pytest
from tests.faults import counts
from tests.faults.yard import SECRET, WORKS, Work, Yard

pytestmark = pytest.mark.walk

ERRORS = (errno.ENOSPC, errno.EIO)


class Struck:
    """One work on a yard: what it does undisturbed, and the judgement on what follows a fault."""

    def __init__(self, yard: Yard, work: Work) -> None:
        self.yard = yard
        self.work = work
        trace = yard.directory / "trace"
        self.reset()
        done = work.act(yard, "", str(trace))
        assert done.returncode == work.code, done.stderr
        self.image = done.stdout.strip()
        self.points = trace.read_text().splitlines()

    def reset(self) -> None:
        self.yard.forget()
        self.work.given(self.yard)

    def strike(self, number: int, effect: str) -> subprocess.CompletedProcess[str]:
        """Let the operation of that number, from 1, have that effect."""
        self.reset()
        return self.work.act(self.yard, f"*:{number}:{effect}", "")

    def wrong(self, number: int) -> list[str]:
        """What is wrong after one further command."""
        again = self.work.act(self.yard, "", "")
        found = self.yard.left() + self.yard.holding(SECRET)
        if again.returncode != self.work.code:
            found.append(f"cannot be done again: {again.stderr}")
        if self.work.prints and again.stdout.strip() != self.image:
            found.append(f"another image: {again.stdout} is not {self.image}")
        check = self.yard.mille("system", "check", "--data")
        if check.returncode != 0:
            found.append(f"not whole: {check.stdout}{check.stderr}")
        return found and [f"{self.work.name}, after {number} ({self.points[number - 1 :][:1]}): {found}"]


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
def test_kill_at_every_operation(yard: Yard, work: Work, all_cases: bool) -> None:
    struck = Struck(yard, work)
    chosen = _chosen(struck.points, work.name, everything=all_cases)
    wrong = []
    killed = 0
    for number in chosen:
        done = struck.strike(number, "kill")
        # A chain that is mounted still and threads that wait make a few operations more or less.
        late = number > len(struck.points) * 0.8 and done.returncode == work.code
        assert done.returncode == -signal.SIGKILL or late, (number, done)
        killed += done.returncode == -signal.SIGKILL
        wrong += struck.wrong(number)
    assert not wrong, "\n".join(wrong)
    assert killed > len(chosen) * 0.7
    counts.said.append(f"mille build ({work.name}): killed at {killed} of {len(struck.points)} operations")


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
def test_a_failing_operation_is_a_clear_error(yard: Yard, work: Work, all_cases: bool) -> None:
    struck = Struck(yard, work)
    chosen = _chosen(struck.points, f"{work.name} fails", everything=all_cases)
    wrong: list[str] = []
    failed = 0
    for place, number in enumerate(chosen):
        for error in ERRORS if all_cases else (ERRORS[place % 2],):
            done = struck.strike(number, errno.errorcode[error])
            failed += done.returncode != work.code
            wrong += [f"{struck.points[number - 1]}: {text}" for text in _unclear(done, work)]
            wrong += struck.wrong(number)
    assert not wrong, "\n".join(wrong)
    counts.said.append(f"mille build ({work.name}): {failed} of {len(chosen)} failing operations told")


def _unclear(done: subprocess.CompletedProcess[str], work: Work) -> list[str]:
    """What is wrong with how a command told of a failing operation."""
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    if "internal error" in done.stderr or "Traceback" in done.stderr:
        return [f"no clear error: {done.stderr}"]
    if done.returncode not in (0, 1, work.code):
        return [f"ended with {done.returncode}: {done.stderr}"]
    if done.returncode != 0 and len(errors) != 1:
        return [f"{len(errors)} errors: {done.stderr}"]
    return []


def _chosen(points: Sequence[str], name: str, *, everything: bool) -> Sequence[int]:
    """Which operations are struck, counted from 1: one at each of a few call sites, or all."""
    if everything:
        return range(1, len(points) + 1)
    first = {point: number for number, point in reversed([*enumerate(points, 1)])}
    return sorted(random.Random(name).sample(sorted(first.values()), 2))
