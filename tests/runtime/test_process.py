"""What a container runs, from an image's config and the caller's words."""

from __future__ import annotations

from typing import Any

import pytest

from millefeuille.runtime.process import (
    InvalidDirectory,
    NoCommand,
    Wishes,
    arguments,
    directory,
    environment,
)

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@pytest.mark.parametrize(
    ("config", "wishes", "expected"),
    [
        ({"Cmd": ["a", "b"]}, Wishes(), ("a", "b")),
        ({"Cmd": ["a", "b"]}, Wishes(arguments=("c",)), ("c",)),
        ({"Entrypoint": ["e"], "Cmd": ["a"]}, Wishes(), ("e", "a")),
        ({"Entrypoint": ["e"], "Cmd": ["a"]}, Wishes(arguments=("c",)), ("e", "c")),
        ({"Entrypoint": ["e"], "Cmd": ["a"]}, Wishes(entrypoint=("x",)), ("x",)),
        ({"Entrypoint": ["e"], "Cmd": ["a"]}, Wishes(entrypoint=("x",), arguments=("c",)), ("x", "c")),
        ({"Entrypoint": ["e"], "Cmd": ["a"]}, Wishes(entrypoint=(), arguments=("c",)), ("c",)),
        ({"Entrypoint": [""], "Cmd": ["a"]}, Wishes(), ("a",)),
        ({"Entrypoint": None, "Cmd": "no list"}, Wishes(arguments=("c",)), ("c",)),
    ],
)
def test_arguments(config: dict[str, Any], wishes: Wishes, expected: tuple[str, ...]) -> None:
    assert arguments(config, wishes) == expected


@pytest.mark.parametrize("wishes", [Wishes(), Wishes(entrypoint=())])
def test_no_command(wishes: Wishes) -> None:
    with pytest.raises(NoCommand, match=r"\Ano command specified\Z"):
        arguments({"Cmd": [] if wishes.entrypoint is None else ["dropped"]}, wishes)


def test_environment_keeps_order_and_the_last_word() -> None:
    config = {"Env": ["PATH=/bin", "A=1", "B=2", "A=3", "EMPTY="]}
    wanted = Wishes(environment=("B=mine", "C=a=b\nc"))
    expected = ("PATH=/bin", "HOSTNAME=h", "A=3", "B=mine", "EMPTY=", "C=a=b\nc")
    assert environment(config, wanted, "h") == expected


def test_a_name_alone_removes_what_the_engine_and_the_image_set() -> None:
    config = {"Env": ["A=1", "HOSTNAME"]}
    wanted = Wishes(environment=("A", "TERM", "B", "B=2"))
    assert environment(config, wanted, "h", terminal=True) == (PATH, "B=2")


@pytest.mark.parametrize("entry", ["NAME", "*", "", "=value", "A=\0b", 7, None])
def test_entries_that_set_nothing_are_left_out(entry: object) -> None:
    assert environment({"Env": [entry]}, Wishes(), "h") == (PATH, "HOSTNAME=h")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", "/"),
        ("/srv", "/srv"),
        ("srv/./x/..", "/srv"),
        ("//a//b", "/a/b"),
        ("/../..", "/"),
        ("/process", "/process"),
    ],
)
def test_directory(path: str, expected: str) -> None:
    assert directory({"WorkingDir": path}, Wishes()) == expected
    assert directory({"WorkingDir": "/other"}, Wishes(directory=path or None)) in (expected, "/other")


@pytest.mark.parametrize(
    "path", ["/proc", "/proc/self/fd/7", "/x/../proc/1", "//proc/1/cwd", "proc/self", "/a\0b"]
)
def test_directories_that_lead_out(path: str) -> None:
    with pytest.raises(InvalidDirectory):
        directory({"WorkingDir": path}, Wishes())
