"""What an instruction meets: its directory, its user, its variables."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from millefeuille.analysis.advice.step import read_step
from millefeuille.analysis.advice.surroundings import absolute, expanded, user, workdir


def waste(*lines: str, **process: str) -> Any:
    """What the functions look at: the script, and what the image's config says."""
    image = SimpleNamespace(config=SimpleNamespace(process=process))
    return SimpleNamespace(script=[read_step(line) for line in lines], image=image)


@pytest.mark.parametrize(
    ("lines", "path", "found"),
    [
        (("FROM a",), "/x/../y", "/y"),
        (("FROM a",), "y", "/y"),
        (("FROM a", "WORKDIR /app"), "./y/", "/app/y"),
        (("FROM a", "WORKDIR /app", "WORKDIR sub"), ".", "/app/sub"),
        (("FROM a", "WORKDIR app"), "y", None),  # the base may have a working directory
        (("FROM a", "WORKDIR $HOME"), "y", None),
        (("FROM a", "WORKDIR /app", "FROM b"), "y", None),
        (("FROM a", "WORKDIR /app", "FROM b"), "/y", "/y"),
        (("FROM a", "ENV D=/opt E='x y'", "WORKDIR ${D}/lib"), "$D/y", "/opt/y"),
        (("FROM a", "ENV D=/opt E='x y'", "WORKDIR ${D}/lib"), "y", "/opt/lib/y"),
    ],
)
def test_paths_from_the_root_on(lines: tuple[str, ...], path: str, found: str | None) -> None:
    assert absolute(waste(*lines), len(lines), path) == found


def test_the_working_directory_of_the_base_is_that_of_the_image_when_nothing_sets_another() -> None:
    assert workdir(waste("FROM a", "RUN b", WorkingDir="/srv"), 1) == "/srv"
    assert workdir(waste("FROM a", "RUN b", "WORKDIR /x", WorkingDir="/x"), 1) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("plain", "plain"), ("$A/${B}", "1/2"), ("$C", None), ("${A:-x}", None), ("$A$", None), ("$D", None),
        ("$E", "f g"),
    ],
)  # fmt: skip
def test_variables(text: str, found: str | None) -> None:
    lines = ("ARG A=0", "FROM a", "ARG A=1", "ENV B=2", "ENV D=$A", "ENV E f g", "RUN x", "ENV C=3")
    assert expanded(waste(*lines), 6, text) == found


def test_an_argument_does_not_hide_a_variable() -> None:
    assert expanded(waste("FROM a", "ENV A=env", "ARG A=arg", "RUN x"), 3, "$A") == "env"


@pytest.mark.parametrize(
    ("lines", "process", "found"),
    [
        (("FROM a",), {}, ""),
        (("FROM a",), {"User": "app"}, "app"),
        (("FROM a", "USER 5"), {"User": "5"}, "5"),
        (("FROM a", "USER 5", "USER root"), {}, ""),
        (("FROM a", "USER 5", "FROM b"), {}, ""),
        (("FROM a", "USER 0:0"), {}, ""),
    ],
)
def test_users(lines: tuple[str, ...], process: dict[str, str], found: str) -> None:
    assert user(waste(*lines, **process), len(lines)) == found
