"""Cache mounts that a RUN neither empties nor relies upon."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from millefeuille.analysis.advice.edits import AddFlag, DropCommands, Edit, Prefix, Remove
from millefeuille.analysis.advice.mounting import mounting
from millefeuille.analysis.advice.rewrite import rewrite
from millefeuille.analysis.advice.step import read_step

FLAG = "--mount=x"


def edits(path: str, *lines: str) -> tuple[Edit, ...]:
    script = [read_step(line) for line in lines]
    image = SimpleNamespace(config=SimpleNamespace(process={}))
    waste: Any = SimpleNamespace(script=script, body=lambda number: script[number].body, image=image)
    return mounting(waste, path, FLAG, range(len(script)))


def test_who_needs_the_lists_fetches_them() -> None:
    found = edits(
        "var/lib/apt/lists", "RUN apt-get -q update", "RUN apt-get install -y a",
        "RUN apt-get update && apt install b", "RUN apt-mark auto b",
        "RUN apt-get -o A::B=3 -qq -t stable install a",
    )  # fmt: skip
    assert found == (
        Remove(0), Prefix(1, "apt-get update"), AddFlag(1, FLAG), AddFlag(2, FLAG), AddFlag(3, FLAG),
        Prefix(4, "apt-get update"), AddFlag(4, FLAG),
    )  # fmt: skip
    assert edits("var/lib/apt/lists", "RUN apt-get update") == (AddFlag(0, FLAG),)
    assert edits("var/cache/apk", "RUN apk add a", "RUN apk add -U a") == (
        Prefix(0, "apk update"), AddFlag(0, FLAG), AddFlag(1, FLAG),
    )  # fmt: skip
    assert edits("root/.cache/pip", "RUN pip install a") == (AddFlag(0, FLAG),)


@pytest.mark.parametrize("key", ["target", "dst", "destination", "Target"])
def test_who_has_a_mount_there_gets_no_other(key: str) -> None:
    assert edits("root/.npm", f"RUN --mount=type=cache,{key}=/root/.npm/ npm ci") == ()
    assert edits("root/.npm", f"RUN --mount=id=a,type=cache,{key}=/root/.npm/a npm ci") == (AddFlag(0, FLAG),)


def test_what_cannot_be_written_otherwise_is_left() -> None:
    assert edits("var/lib/apt/lists", 'RUN ["apt-get", "install", "a"]') == ()
    assert edits("var/lib/apt/lists", "RUN sudo apt-get install a") == ()
    script = read_step("RUN <<EOF", fixed=True, script="apt-get install a")
    waste: Any = SimpleNamespace(script=[script], body=lambda _: script.body)
    assert mounting(waste, "var/lib/apt/lists", FLAG, [0]) == ()


@pytest.mark.parametrize(
    ("path", "text", "dropped", "instead"),
    [
        ("var/lib/apt/lists", "rm -rf /var/lib/apt/lists/*", "rm -rf /var/lib/apt/lists/*", ""),
        ("var/lib/apt/lists", "rm -r /var/lib/apt/lists/* /x", "rm -r /var/lib/apt/lists/* /x", "rm -r /x"),
        ("var/cache/apt", "apt-get clean", "apt-get clean", ""),
        ("var/cache/apt", "apt-get -y autoclean", "apt-get -y autoclean", ""),
        ("root/.npm", "npm cache clean --force", "npm cache clean --force", ""),
        ("var/cache/dnf", "dnf clean all", "dnf clean all", ""),
        ("root/.cache/pip", "rm -r /root/.cache/pip", "rm -r /root/.cache/pip", ""),
    ],
)
def test_nobody_empties_it(path: str, text: str, dropped: str, instead: str) -> None:
    found = edits(path, f"RUN true && {text}")
    assert found == (AddFlag(0, FLAG), DropCommands(0, (dropped,), instead))


def test_what_is_elsewhere_is_removed_still() -> None:
    assert edits("root/.cache/pip", "RUN rm -rf /root/.cache/pipenv /tmp/x") == (AddFlag(0, FLAG),)


def test_a_command_in_front() -> None:
    script = (read_step("FROM a"), read_step("RUN apt-get install b && cd /x; c"))
    text = rewrite(script, [Prefix(1, "apt-get update")]).text
    assert text == "FROM a\nRUN apt-get update && (apt-get install b && cd /x; c)\n"


@pytest.mark.parametrize("text", [
    "rm -rf /root/.cache", "rm -rf /root/.c*", "rm -rf ~/.cache", "rm -rf $HOME/.cache /x",
    "rm -r /root/{.cache,b}",
    "cd /root && rm -r .cache", "mv /root/.cache /x", "find /root/.cache -delete",
    "if true; then rm -r /root/.cache/pip; fi",
])  # fmt: skip
def test_a_mount_cannot_be_removed_with_what_it_lies_in(text: str) -> None:
    assert edits("root/.cache/pip", f"RUN pip install a && {text}") == ()


@pytest.mark.parametrize("text", ['rm -rf "$GNUPGHOME"', "rm -rf /root/.config /tmp/*", "ls /root/.cache"])
def test_what_does_not_remove_it(text: str) -> None:
    assert edits("root/.cache/pip", f"RUN pip install a && {text}") == (AddFlag(0, FLAG),)
