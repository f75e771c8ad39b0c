"""Commands of a RUN that remove just what was copied."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from millefeuille.analysis.advice.removing import commands
from millefeuille.analysis.advice.step import read_step


def waste(*lines: str, removed: tuple[str, ...] = ()) -> Any:
    """What the functions look at: the script, of which the last step made layer 1, and what that removed."""
    script = [read_step(line) for line in lines]
    gone = [[], [path.encode() for path in removed]]
    image = SimpleNamespace(config=SimpleNamespace(process={}))
    return SimpleNamespace(
        script=script, own={1: len(script) - 1}, account=SimpleNamespace(removed=gone), image=image
    )


@pytest.mark.parametrize(
    ("run", "targets", "found"),
    [
        ("rm -rf /src", ("/src",), ("rm -rf /src",)),
        ("make && rm -rf /src/ && true", ("/src",), ("rm -rf /src/",)),
        ("rm /tmp/a.deb /tmp/b.deb", ("/tmp/a.deb", "/tmp/b.deb"), ("rm /tmp/a.deb /tmp/b.deb",)),
        ("rm /tmp/a.deb; rm /tmp/b.deb", ("/tmp/a.deb", "/tmp/b.deb"), ("rm /tmp/a.deb", "rm /tmp/b.deb")),
        ("rm -f *.deb", ("/tmp/a.deb", "/tmp/b.deb"), ("rm -f *.deb",)),
        ("rm -f *", ("/tmp/a.deb", "/tmp/b.deb"), ()),  # and a file that nobody copied
        ("rm -f a.deb", ("/tmp/a.deb", "/tmp/b.deb"), ()),
        ("cd / && rm -f tmp/a.deb", ("/tmp/a.deb",), ()),
        ("cd / && rm -f /tmp/a.deb", ("/tmp/a.deb",), ("rm -f /tmp/a.deb",)),
        ("rm -f /tmp/a.deb /etc/other", ("/tmp/a.deb",), ()),
        ("if true; then rm /src; fi", ("/src",), ()),
        ("mv /src /else", ("/src",), ()),
        ("rm -rf /", (), ()),
        ("rm -rf $SRC", ("/src",), ("rm -rf $SRC",)),
        ("rm -rf $OTHER", ("/src",), ()),
    ],
)
def test_commands_that_remove_it_and_nothing_else(
    run: str, targets: tuple[str, ...], found: tuple[str, ...]
) -> None:
    removed = ("tmp/a.deb", "tmp/b.deb", "tmp/own", "src")
    lines = ("FROM a", "WORKDIR /tmp", "ARG SRC=/src", f"RUN {run}")
    assert commands(waste(*lines, removed=removed), 1, targets) == found
