"""A build's plain lines."""

from __future__ import annotations

from typing import cast

from millefeuille.build.report import Began, Ended, Printed, Vertex
from millefeuille.faces.cli.building.plain import PlainBuild
from millefeuille.faces.cli.terminal import Terminal


class Lines:
    """A terminal that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def relay(self, line: str) -> None:
        self.told.append(line)


def vertex(number: int, text: str) -> Vertex:
    return Vertex(number=number, name=f"[{number}/3] {text}", line=number, stage="", place=number, text=text)


def test_a_step_is_named_as_it_begins_and_once() -> None:
    lines = Lines()
    plain = PlainBuild(cast(Terminal, lines))
    slow, other = vertex(2, "RUN sleep 5"), vertex(3, "RUN true")
    plain.report(Began(vertex=slow))
    assert lines.told == ["#2 [2/3] RUN sleep 5"]
    plain.report(Printed(vertex=slow, stream=1, data=b"a\n"))
    assert [line.split()[-1] for line in lines.told[1:]] == ["a"]
    plain.report(Began(vertex=other))
    plain.report(Ended(vertex=other, outcome="cached"))
    plain.report(Ended(vertex=slow, outcome="cached"))
    assert lines.told[2:] == [
        "#3 [3/3] RUN true", "#3 CACHED", "", "#2 [2/3] RUN sleep 5", "#2 CACHED", ""
    ]  # fmt: skip
