"""`--explain` names the input that changed, in scripted changes of every kind."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.build.places import Place

FILES = {"d/a": "1", "d/b": "2", "x": "3"}
COPY = "FROM scratch\nCOPY {} d /to/\n"


class Case(NamedTuple):
    """Two builds, and what is said of a step (by its place among those that make layers) in the second."""

    name: str
    before: str
    after: str = ""
    change: Callable[[Path], object] = lambda context: None
    first: Mapping[str, Any] = {}
    then: Mapping[str, Any] = {}
    step: int = 0
    said: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


PLAIN = "FROM scratch\nCOPY d /to/\n"
CASES = (
    Case(
        "content", PLAIN, change=lambda c: (c / "d/a").write_text("other"),
        said=("to/a: content", "files changed"),
    ),
    Case("a new file", PLAIN, change=lambda c: (c / "d/c").write_text("4"), said=("to/c: new",)),
    Case("a file less", PLAIN, change=lambda c: (c / "d/b").unlink(), said=("to/b: gone",)),
    Case("a name", PLAIN, change=lambda c: (c / "d/b").rename(c / "d/z"), said=("to/b: gone", "to/z: new")),
    Case("a mode", PLAIN, change=lambda c: (c / "d/a").chmod(0o600), said=("to/a: mode 0644 → 0600",)),
    Case(
        "a link", PLAIN, change=lambda c: ((c / "d/b").unlink(), os.symlink("a", c / "d/b")),
        said=("to/b: another kind of file",),
    ),
    Case(
        "a destination", PLAIN, "FROM scratch\nCOPY d /there/\n",
        said=("destination changed: '/to/' → '/there/'",),
    ),
    Case("an owner", PLAIN, COPY.format("--chown=1:2"), said=("owner (--chown) changed: '' → '1:2'",)),
    Case("--chmod", PLAIN, COPY.format("--chmod=u+x"), said=("mode (--chmod) changed: '' → 'u+x'",)),
    Case("--exclude", PLAIN, COPY.format("--exclude=a"), said=("--exclude changed", "to/a: gone")),
    Case("--link", PLAIN, COPY.format("--link"), said=("--link changed",)),
    Case(
        "WORKDIR", "FROM scratch\nWORKDIR /a\n", "FROM scratch\nWORKDIR /b\n",
        said=("path changed: '/a' → '/b'",),
    ),
    Case(
        "the user of WORKDIR", "FROM scratch\nWORKDIR /a\n", "FROM scratch\nUSER 7\nWORKDIR /a\n",
        said=("owner changed: '' → '7'",),
    ),
    Case(
        "a here-document", "FROM scratch\nCOPY <<E /f\none\nE\n", "FROM scratch\nCOPY <<E /f\ntwo\nE\n",
        said=("f: content",),
    ),
    Case(
        "a variable in a here-document", "FROM scratch\nARG V\nCOPY <<E /f\n$V\nE\n",
        first={"arguments": {"V": "1"}}, then={"arguments": {"V": "2"}}, said=("f: content",),
    ),
    Case(
        "the step before", "FROM scratch\nCOPY d /to/\nCOPY x /y\n",
        change=lambda c: (c / "d/a").write_text("other"), step=1,
        said=("the step before it, [stage-0 2] COPY d /to/, gave another layer",),
    ),
    Case(
        "the stage that files come from",
        "FROM scratch AS one\nCOPY x /\nFROM scratch\nCOPY --from=one /x /y\n",
        change=lambda c: (c / "x").write_text("other"), step=1, said=("y: content",),
    ),
    Case("--no-cache", PLAIN, then={"no_cache": frozenset()}, said=("--no-cache",)),
    Case(
        "the timestamp", PLAIN, first={"epoch": 1}, then={"epoch": 2},
        said=("timestamp changed: '1' → '2'",),
    ),
    Case("the timestamp, 1970", PLAIN, then={"epoch": 0}, said=("timestamp changed: '' → '0'",)),
    Case("the timestamp alone", PLAIN, then={"epoch": 5}, never=("times of files",)),
    Case("the timestamp, later", PLAIN, first={"epoch": 5}, then={"epoch": 9}, never=("times of files",)),
    Case(
        "a time before the timestamp", PLAIN, first={"epoch": 9}, then={"epoch": 9},
        change=lambda c: os.utime(c / "d/a", (5, 5)), said=("times of files changed",),
    ),
    Case("nothing", PLAIN, said=("in the cache",)),
    Case("the time of a file", PLAIN, change=lambda c: os.utime(c / "d/a", (5, 5)), said=("in the cache",)),
)  # fmt: skip

RUN = "FROM scratch\nCOPY --chmod=755 busybox /bin/sh\n{}RUN {}true\n"
RUNNING = (
    Case("a command", RUN.format("", ""), RUN.format("", ": && "), said=("command changed",)),
    Case(
        "a build argument", RUN.format("ARG V=0\n", ""), then={"arguments": {"V": "5"}},
        said=("variable V changed: '0' → '5'",),
    ),
    Case(
        "ENV", RUN.format("ENV A=1\n", ""), RUN.format("ENV A=2\n", ""),
        said=("variable A changed: '1' → '2'",),
    ),
    Case("a new variable", RUN.format("", ""), RUN.format("ENV A=2\n", ""), said=("variable A='2' is new",)),
    Case("a variable less", RUN.format("ENV A=2\n", ""), RUN.format("", ""), said=("variable A is gone",)),
    Case("the network", RUN.format("", ""), RUN.format("", "--network=none "), said=("network changed",)),
    Case("the user", RUN.format("", ""), RUN.format("USER 9\n", ""), said=("user changed: '' → '9'",)),
    Case(
        "what is mounted", RUN.format("", "--mount=type=bind,source=d,target=/m "),
        change=lambda c: (c / "d/a").write_text("other"), said=("--mount",),
    ),
    Case(
        "an extra host", RUN.format("", ""), then={"hosts": (("name", "127.0.0.2"),)},
        said=("extra hosts changed",),
    ),
    Case("the timestamp, new", RUN.format("", ""), then={"epoch": 5}, said=("timestamp changed: '' → '5'",)),
    Case(
        "the timestamp, gone", RUN.format("", ""), first={"epoch": 0}, then={"epoch": None},
        said=("timestamp changed: '0' → ''",),
    ),
)  # fmt: skip


def explained(case: Case, directory: Path, step: int) -> str:
    """What the second build says of a step."""
    place = Place(directory)
    place.write(FILES)
    for name in FILES:
        (place.context / name).chmod(0o644)
    if (busybox := shutil.which("busybox")) and "busybox" in case.before:
        shutil.copy(busybox, place.context / "busybox")
    place.build(case.before, **case.first)
    case.change(place.context)
    place.build(case.after or case.before, explain=True, **{**case.first, **case.then})
    return place.watching.reasons[step]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_changed_input_is_named(case: Case, tmp_path: Path) -> None:
    told = explained(case, tmp_path, case.step)
    assert all(part in told for part in case.said), told
    assert not any(part in told for part in case.never), told


@pytest.mark.walk
@pytest.mark.parametrize("case", RUNNING, ids=lambda case: case.name)
def test_the_changed_input_of_a_command_is_named(case: Case, tmp_path: Path) -> None:
    if os.geteuid() != 0 or not shutil.which("runc") or not shutil.which("busybox"):
        pytest.skip("needs root, runc and busybox")
    try:
        told = explained(case, tmp_path, 1)
    finally:
        Place(tmp_path).unmount()
    assert all(part in told for part in case.said), told


def test_a_changed_base_image_is_named(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write(FILES)
    text = "FROM base\nCOPY x /y\n"
    first = place.build("FROM scratch\nCOPY d /\n", tags=["base"], series="base")
    place.build(text)
    second = place.build("FROM scratch\nCOPY x /\n", tags=["base"], series="base")
    assert first.id != second.id
    place.build(text, explain=True)
    assert "base image base changed: sha256:" in place.watching.reasons[-1]


def test_a_step_that_no_build_had_before(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write(FILES)
    place.build(PLAIN, explain=True)
    assert place.watching.reasons == ["not in the cache: no earlier build had this step"]
