from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.faces.cli.flags import HELP, BadFlag, Flags
from millefeuille.faces.cli.options import Option, boolean, filters, integer, repeated, string, strings

ALL = boolean("all", "", short="a")
FORCE = boolean("force", "", short="f")
HUMAN = boolean("human", "", short="H", default=True)
NAME = string("name", "", short="n")
LIMIT = integer("limit", "")
LABELS = repeated("label", "", short="l")
PLATFORMS = strings("platform", "")
FILTERS = filters("filter", "", short="x")
OPTIONS: tuple[Option[object], ...] = (ALL, FORCE, HUMAN, NAME, LIMIT, LABELS, PLATFORMS, FILTERS)  # type: ignore[assignment]


def parse(*words: str, interspersed: bool = True) -> tuple[dict[str, object], tuple[str, ...]]:
    flags = Flags(OPTIONS, interspersed=interspersed)
    arguments = flags.parse(words)
    return {option.name: value for option, value in flags.given.items()}, arguments


@pytest.mark.parametrize(
    ("words", "given", "arguments"),
    [
        ("", {}, ()),
        ("a b", {}, ("a", "b")),
        ("a -f b --all", {"force": True, "all": True}, ("a", "b")),
        ("-af", {"all": True, "force": True}, ()),
        ("-afn x", {"all": True, "force": True, "name": "x"}, ()),
        ("-afnx", {"all": True, "force": True, "name": "x"}, ()),
        ("-n=x", {"name": "x"}, ()),
        ("-n=", {"name": "="}, ()),
        ("-f=false", {"force": False}, ()),
        ("--human=0", {"human": False}, ()),
        ("--name=", {"name": ""}, ()),
        ("--name a=b", {"name": "a=b"}, ()),
        ("--name=a --name=b", {"name": "b"}, ()),
        ("--name --force", {"name": "--force"}, ()),
        ("--name -- x", {"name": "--"}, ("x",)),
        ("-- -f", {}, ("-f",)),
        ("a -- -f --", {}, ("a", "-f", "--")),
        ("-", {}, ("-",)),
        ("--limit 0x10", {"limit": 16}, ()),
        ("--limit=-0b11", {"limit": -3}, ()),
        ("--limit 010", {"limit": 8}, ()),
        ("--limit 1_000", {"limit": 1000}, ()),
        ("-l a -l b,c", {"label": ("a", "b,c")}, ()),
        ('--platform a,"b,c" --platform d', {"platform": ("a", "b,c", "d")}, ()),
        ('--platform "a""b",', {"platform": ('a"b', "")}, ()),
        ("-x Dangling=TRUE -x label=a=b", {"filter": (("dangling", "TRUE"), ("label", "a=b"))}, ()),
        ("-x=", {"filter": (("", ""),)}, ()),  # after a letter, a lone sign is the value
        ("--filter=", {"filter": ()}, ()),
    ],
)
def test_reads_as_pflag(words: str, given: dict[str, object], arguments: tuple[str, ...]) -> None:
    assert parse(*words.split()) == (given, arguments)


def test_filters_lose_the_blanks_around_them() -> None:
    assert parse("-x", " Dangling = true ")[0] == {"filter": (("dangling", "true"),)}


def test_without_interspersion_the_first_argument_ends_the_flags() -> None:
    assert parse("-f", "image", "-f", "--bogus", interspersed=False) == (
        {"force": True},
        ("image", "-f", "--bogus"),
    )


def test_help_is_always_there() -> None:
    flags = Flags(())
    flags.parse(["--help"])
    assert flags.given == {HELP: True}


def test_a_command_may_use_the_letter_of_help() -> None:
    host = string("host", "", short="h")
    flags = Flags((host,))
    flags.parse(["-h", "x"])
    assert flags.given == {host: "x"}
    assert not flags.deprecated_help


@given(st.lists(st.text(max_size=8)))
def test_any_words_are_arguments_or_refused(words: list[str]) -> None:
    try:
        _, arguments = parse(*words)
    except BadFlag as error:
        assert "\n" not in str(error).partition(" flag: ")[0]
    else:
        assert set(arguments) <= set(words)


@given(st.lists(st.text(max_size=8)))
def test_after_two_dashes_nothing_is_a_flag(words: list[str]) -> None:
    assert parse("--", *words) == ({}, tuple(words))


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "all": st.booleans(),
            "name": st.text(max_size=6),
            "limit": st.integers(-(2**63), 2**63 - 1),
            "label": st.lists(st.text(max_size=6), min_size=1).map(tuple),
        },
    ),
    st.lists(st.text(max_size=6).filter(lambda word: not word.startswith("-"))),
    st.booleans(),
)
def test_what_is_written_is_read_back(values: dict[str, object], arguments: list[str], joined: bool) -> None:
    words = list(arguments)
    for name, value in values.items():
        for single in value if isinstance(value, tuple) else (value,):
            text = str(single).lower() if isinstance(single, bool) else str(single)
            together = joined or isinstance(single, bool)
            words += [f"--{name}={text}"] if together else [f"--{name}", text]
    assert parse(*words) == (values, tuple(arguments))
