"""Whole Dockerfiles made at random, each changed in one place again and again.

What the cache gives is, bit for bit, what a build without it makes; and exactly the steps are made anew that
the change reaches: each command writes down all that it sees, so that no later step may be found after it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from tests.build.places import Place

EPOCH = 1_500_000_000
CHANGES = 4  # of each Dockerfile
KINDS = ("line", "line", "content", "mode", "earlier", "later", "given", "epoch", "epoch", "nothing")
BASE = "FROM scratch\nCOPY --chmod=755 busybox /bin/sh\n"

pytestmark = pytest.mark.walk


class File(NamedTuple):
    """A file of the context."""

    text: str
    mode: int
    mtime: int


Line = tuple[str, str, str]  # the instruction, the name or source, the value


class Recipe:
    """A Dockerfile with its context."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.files = {f"f{n}": File(f"{n}", 0o644, EPOCH - 10 * n) for n in range(3)}
        self.lines = [self._line(number) for number in range(random.randint(4, 9))]
        self.given: dict[str, str] = {}
        self.epoch = EPOCH

    def _line(self, number: int) -> Line:
        word = self.random.choice(("ENV", "ARG", "WORKDIR", "COPY", "COPY", "RUN", "RUN"))
        name = {"ENV": "A", "ARG": "X", "COPY": self.random.choice(list(self.files))}.get(word, "")
        return word, name, f"v{number}"

    def change(self) -> str:
        """Change one thing; what it was."""
        kind = self.random.choice(KINDS)
        copied = [what for word, what, _ in self.lines if word == "COPY"]
        name = self.random.choice(copied or list(self.files))
        text, mode, mtime = self.files[name]
        if kind == "line":
            at = self.random.randrange(len(self.lines))
            word, what, value = self.lines[at]
            self.lines[at] = (word, what, value + self.random.choice("pq"))
        elif kind == "content":
            self.files[name] = File(text + self.random.choice("pq"), mode, mtime)
        elif kind == "mode":
            self.files[name] = File(text, mode ^ 0o020, mtime)
        elif kind == "earlier":
            self.files[name] = File(text, mode, min(mtime, EPOCH) - 5)
        elif kind == "epoch":
            self.epoch += self.random.choice((-100, 100))
        elif kind == "later":
            self.files[name] = File(text, mode, max(mtime, EPOCH) + 5)
        elif kind == "given":
            declared = any(word == "ARG" for word, _, _ in self.lines)
            self.given = {"X": self.random.choice("pqr")} if declared else {}
        return kind

    @property
    def text(self) -> str:
        """The Dockerfile."""
        forms = {
            "ENV": "ENV {1}={2}", "ARG": "ARG {1}={2}", "WORKDIR": "WORKDIR {2}", "COPY": "COPY {1} {2}.copy",
            "RUN": 'RUN echo "{2} $A $X $PWD" > "/{2}.run"',
        }  # fmt: skip
        return "\n".join(("FROM base:1", *(forms[line[0]].format(*line) for line in self.lines), ""))

    def keys(self) -> list[object]:
        """What each step that makes a layer depends on, all before it first."""
        seen: tuple[object, ...] = (self.epoch,)
        variables: dict[str, str] = {}
        directory, found = "/", list[object]()
        for word, name, value in self.lines:
            if word in ("ENV", "ARG"):
                variables[name] = self.given.get(name, value) if word == "ARG" else value
                continue
            if word == "WORKDIR":
                directory = os.path.join(directory, value)
            text, mode, mtime = self.files.get(name, File("", 0, 0))
            of_it = (text, mode, min(mtime, self.epoch)) if word == "COPY" else ()
            of_run = tuple(variables.items()) if word == "RUN" else ()
            seen = (*seen, (word, value, directory, of_it, of_run))
            found.append(seen)
        return found

    def write(self, context: Path) -> None:
        """Write the context."""
        for name, (text, mode, mtime) in self.files.items():
            (context / name).write_text(text)
            (context / name).chmod(mode)
            os.utime(context / name, (mtime, mtime))


@pytest.fixture(scope="module")
def number_of_cases(all_cases: bool) -> int:
    """How many Dockerfiles."""
    return 150 if all_cases else 6


def test_rebuilds(number_of_cases: int, tmp_path: Path) -> None:
    busybox = shutil.which("busybox")
    if os.geteuid() != 0 or not shutil.which("runc") or not busybox:
        pytest.skip("needs root, runc and busybox")
    place = Place(tmp_path)
    shutil.copy(busybox, place.context / "busybox")
    place.build(BASE, tags=["base:1"])
    try:
        for number in range(number_of_cases):
            _rebuild(place, number)
    finally:
        place.unmount()


def _rebuild(place: Place, number: int) -> None:
    recipe = Recipe(Random(f"rebuilds {number}"))
    known: set[object] = set()
    # What an earlier Dockerfile made is not to be found.
    recipe.lines.insert(0, ("RUN", "", f"case{number}"))
    told: list[str] = []
    for _ in range(1 + CHANGES):
        recipe.write(place.context)
        keys = recipe.keys()
        made = place.build(recipe.text, epoch=recipe.epoch, network="none", arguments=recipe.given)
        expected = ["cached" if key in known else "done" for key in keys]
        assert place.watching.outcomes == expected, (number, told, recipe.text)
        anew = place.build(
            recipe.text, epoch=recipe.epoch, network="none", arguments=recipe.given, no_cache=frozenset()
        )  # fmt: skip
        assert set(place.watching.outcomes) == {"done"}
        assert made.raw == anew.raw, (number, told, recipe.text)
        known.update(keys)
        told.append(recipe.change())
