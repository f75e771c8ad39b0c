"""ARG and ENV: what is seen where."""

from __future__ import annotations

import pytest

from millefeuille.build.dockerfile.errors import DockerfileError
from millefeuille.build.dockerfile.instructions import Arg, Env
from millefeuille.build.dockerfile.parser import parse
from millefeuille.build.expanded import expanded, expanded_from
from millefeuille.build.scope import Scope, global_scope, platform_args, unconsumed
from millefeuille.oci.platform import Platform

PREDEFINED = platform_args(
    Platform(os="linux", architecture="amd64"),
    Platform(os="linux", architecture="arm", variant="v7"),
    "final",
)


def globals_of(text: str, **build_args: str) -> Scope:
    return global_scope(parse(text.encode()), build_args, PREDEFINED)


def end_of(
    text: str, *, image: tuple[tuple[str, str], ...] = (), stage: int = -1, **build_args: str
) -> Scope:
    """The scope at the end of a stage, whose base is a stage before it or an image with that environment."""
    parsed = parse(text.encode())
    outer = global_scope(parsed, build_args, PREDEFINED)
    ends: dict[str, Scope] = {}
    found = outer
    for one in parsed.stages[: None if stage == -1 else stage + 1]:
        base = ends.get(expanded_from(one.from_, outer).image)
        found = base.child() if base else outer.stage(image)
        for instruction in one.instructions:
            done = expanded(instruction, found)
            if isinstance(done, Arg):
                for pair in done.pairs:
                    found = found.with_arg(pair.name, pair.value)
            if isinstance(done, Env):
                found = found.with_env(done.pairs)
        ends[one.shown] = found
    return found


def test_predefined_arguments() -> None:
    assert PREDEFINED == {
        "BUILDPLATFORM": "linux/amd64", "BUILDOS": "linux", "BUILDOSVERSION": "", "BUILDARCH": "amd64",
        "BUILDVARIANT": "", "TARGETPLATFORM": "linux/arm/v7", "TARGETOS": "linux", "TARGETOSVERSION": "",
        "TARGETARCH": "arm", "TARGETVARIANT": "v7", "TARGETSTAGE": "final",
    }  # fmt: skip
    assert platform_args(Platform.host(), Platform.host(), "")["TARGETSTAGE"] == "default"


FROMS = {
    "default": ("ARG A=1\nFROM x:$A", {}, "x:1"),
    "build argument": ("ARG A=1\nFROM x:$A", {"A": "2"}, "x:2"),
    "empty build argument": ("ARG A=1\nFROM x:${A:-3}", {"A": ""}, "x:3"),
    "undeclared": ("FROM x:${A:-3}", {"A": "2"}, "x:3"),
    "bare": ("ARG A\nFROM x:${A-3}", {}, "x:3"),
    "bare, given": ("ARG A\nFROM x:${A-3}", {"A": "2"}, "x:2"),
    "of each other": ("ARG A=1\nARG B=$A.2\nFROM x:$B", {}, "x:1.2"),
    "of each other in one": ("ARG A=1 B=$A.2\nFROM x:$B", {}, "x:1.2"),
    "of each other, given": ("ARG A=1\nARG B=$A.2\nFROM x:$B", {"A": "9"}, "x:9.2"),
    "of a later one": ("ARG B=$A.2\nARG A=1\nFROM x:$B", {}, "x:.2"),
    "twice": ("ARG A=1\nARG A=2\nFROM x:$A", {}, "x:2"),
    "predefined": ("FROM x:$TARGETARCH-$BUILDARCH-$TARGETSTAGE", {}, "x:arm-amd64-final"),
    "predefined, given": ("FROM x:$TARGETARCH", {"TARGETARCH": "s390x"}, "x:s390x"),
    "predefined, declared": ("ARG TARGETARCH\nFROM x:$TARGETARCH", {}, "x:arm"),
    "predefined, with a default": ("ARG TARGETARCH=no\nFROM x:$TARGETARCH", {}, "x:no"),
    "quotes": ("ARG A='1 2'\nFROM x:$A", {}, "x:1 2"),
    "single quotes are literal": ("ARG B=1\nARG A='$B'\nFROM x:$A", {}, "x:$B"),
}


@pytest.mark.parametrize("case", FROMS)
def test_global_scope(case: str) -> None:
    text, build_args, image = FROMS[case]
    scope = globals_of(text, **build_args)
    assert expanded_from(parse(text.encode()).stages[0].from_, scope).image == image


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ARG A\nFROM $A", "Dockerfile:2: base name ($A) should not be blank"),
        ("FROM ${A}", "Dockerfile:1: base name (${A}) should not be blank"),
        ("FROM --platform=$A x", "Dockerfile:1: empty platform value from expression $A"),
        (
            "FROM $TARGETARHC",
            "Dockerfile:1: base name ($TARGETARHC) should not be blank (did you mean TARGETARCH?)",
        ),
        (
            "FROM --platform=$BULIDPLATFORM x",
            "Dockerfile:1: empty platform value from expression $BULIDPLATFORM (did you mean BUILDPLATFORM?)",
        ),
        (
            "ARG MY_ARCH=amd64\nFROM --platform=linux/${MYARCH} x",
            'Dockerfile:2: failed to parse platform linux/${MYARCH}: "" is an invalid component of "linux/": '
            'platform specifier component must match "^[A-Za-z0-9_.-]+$": invalid argument'
            " (did you mean MY_ARCH?)",
        ),
        ("FROM ${A:?needed}", 'Dockerfile:1: failed to process "${A:?needed}": A: needed'),
        ("FROM 'x", "unexpected end of statement while looking for matching single-quote"),
    ],
)
def test_a_from_without_an_image(text: str, message: str) -> None:
    with pytest.raises(DockerfileError) as caught:
        expanded_from(parse(text.encode()).stages[0].from_, globals_of(text))
    assert str(caught.value).endswith(message)


def test_a_global_default_that_cannot_be_expanded() -> None:
    with pytest.raises(DockerfileError, match=r"^Dockerfile:2: .*A: needed$"):
        globals_of("ARG B\nARG C=${A:?needed}\nFROM x")
    assert globals_of("ARG C=${A:?needed}\nFROM x", C="given").variables["C"] == "given"


# name: (text, base image's environment, build arguments, variables afterwards)
STAGES: dict[str, tuple[str, dict[str, str], dict[str, str], dict[str, str]]] = {
    "default": ("FROM x\nARG A=1", {}, {}, {"A": "1"}),
    "build argument": ("FROM x\nARG A=1", {}, {"A": "2"}, {"A": "2"}),
    "empty build argument": ("FROM x\nARG A=1", {}, {"A": ""}, {"A": ""}),
    "bare, given": ("FROM x\nARG A", {}, {"A": "2"}, {"A": "2"}),
    "bare": ("FROM x\nARG A", {}, {}, {}),
    "undeclared": ("FROM x", {}, {"A": "2"}, {}),
    "before its declaration": ("FROM x\nENV E=${A:-none}\nARG A=1", {}, {"A": "2"}, {"E": "none", "A": "2"}),
    "global, not declared in the stage": ("ARG A=1\nFROM x\nENV E=$A", {}, {}, {"E": ""}),
    "global": ("ARG A=1\nFROM x\nARG A", {}, {}, {"A": "1"}),
    "global, and a default": ("ARG A=1\nFROM x\nARG A=2", {}, {}, {"A": "2"}),
    "global, given": ("ARG A=1\nFROM x\nARG A", {}, {"A": "3"}, {"A": "3"}),
    "global, bare": ("ARG A\nFROM x\nARG A", {}, {}, {}),
    "predefined": ("FROM x\nENV E=$TARGETARCH", {}, {}, {"E": ""}),
    "predefined, declared": ("FROM x\nARG TARGETARCH", {}, {}, {"TARGETARCH": "arm"}),
    "predefined, with a default": ("FROM x\nARG TARGETARCH=no", {}, {}, {"TARGETARCH": "no"}),
    "predefined, given": ("FROM x\nARG TARGETARCH", {}, {"TARGETARCH": "x"}, {"TARGETARCH": "x"}),
    "default of the image's": ("FROM x\nARG A=$I/2", {"I": "1"}, {}, {"I": "1", "A": "1/2"}),
    "default of an argument": ("FROM x\nARG A=1\nARG B=$A.2", {}, {}, {"A": "1", "B": "1.2"}),
    "default of one beside it": ("FROM x\nARG A=1 B=$A.2", {}, {}, {"A": "1", "B": ".2"}),
    "ENV after ARG": ("FROM x\nARG A=1\nENV A=2", {}, {"A": "3"}, {"A": "2"}),
    "ENV of ARG": ("FROM x\nARG A=1\nENV A=$A.x", {}, {"A": "3"}, {"A": "3.x"}),
    "ARG after ENV": ("FROM x\nENV A=1\nARG A=2", {}, {}, {"A": "2"}),
    "ARG after ENV, given": ("FROM x\nENV A=1\nARG A", {}, {"A": "2"}, {"A": "2"}),
    "bare ARG after ENV": ("FROM x\nENV A=1\nARG A", {}, {}, {"A": "1"}),
    "ARG after the image's": ("FROM x\nARG A=2", {"A": "1"}, {}, {"A": "2"}),
    "ARG twice": ("FROM x\nARG A=1\nARG A=2", {}, {}, {"A": "2"}),
    "ENV twice": ("FROM x\nENV A=1\nENV A=2", {}, {}, {"A": "2"}),
    "ENV sees what was before it": ("FROM x\nENV A=1\nENV A=2 B=$A", {}, {}, {"A": "2", "B": "1"}),
    "ENV key": ("FROM x\nARG N=K\nENV $N=1", {}, {}, {"N": "K", "K": "1"}),
    "ENV with blanks": ("FROM x\nENV A a   b", {}, {}, {"A": "a   b"}),
    "ENV with quotes": (
        "FROM x\nENV A=\"a b\" B='c $A' C=d\\ e",
        {},
        {},
        {"A": "a b", "B": "c $A", "C": "d e"},
    ),
    "siblings": ("FROM x AS one\nARG A=1\nENV E=2\nFROM y", {}, {}, {}),
    "parent": ("FROM x AS one\nARG A=1\nENV E=2\nFROM one", {}, {}, {"A": "1", "E": "2"}),
    "never exported": ("FROM x\nARG BUILDKIT_SBOM_SCAN_STAGE=true", {}, {}, {}),
    "proxy, not declared": ("FROM x\nENV E=$HTTP_PROXY", {}, {"HTTP_PROXY": "p"}, {"E": ""}),
    "proxy, declared": ("FROM x\nARG HTTP_PROXY", {}, {"HTTP_PROXY": "p"}, {"HTTP_PROXY": "p"}),
}


@pytest.mark.parametrize("case", STAGES)
def test_stage_scope(case: str) -> None:
    text, image, build_args, variables = STAGES[case]
    scope = end_of(text, image=tuple(image.items()), **build_args)
    assert dict(scope.run_env()) == variables


def test_the_environment_of_commands_keeps_its_order() -> None:
    scope = end_of("FROM x\nENV C=1\nARG A=2\nENV B=3", image=(("Z", "0"), ("Y", "1")))
    assert [name for name, _ in scope.run_env()] == ["Z", "Y", "C", "A", "B"]


HISTORY = {
    "declared": ("FROM x\nARG A=1 B", {}, [("A", "1"), ("B", "")]),
    "order of the first declaration": ("FROM x\nARG B=1\nARG A=2\nARG B=3", {}, [("B", "3"), ("A", "2")]),
    "an ENV over it": ("FROM x\nARG A=1\nENV A=2", {}, [("A", "2")]),
    "of the parent": ("FROM x AS one\nARG A=1\nFROM one\nARG B=2", {}, [("A", "1"), ("B", "2")]),
    "of a sibling": ("FROM x AS one\nARG A=1\nFROM y\nARG B=2", {}, [("B", "2")]),
    "proxy": ("FROM x\nARG A=1", {"HTTP_PROXY": "p"}, [("A", "1")]),
    "proxy, declared": ("FROM x\nARG HTTP_PROXY", {"HTTP_PROXY": "p"}, [("HTTP_PROXY", "p")]),
}


@pytest.mark.parametrize("case", HISTORY)
def test_history(case: str) -> None:
    text, build_args, shown = HISTORY[case]
    assert list(end_of(text, **build_args).history_args()) == shown


def test_proxies_come_in_both_spellings() -> None:
    scope = end_of("FROM x\nARG https_proxy", HTTP_PROXY="p", https_proxy="q", no_proxy="n")
    assert list(scope.proxies()) == [
        ("HTTP_PROXY", "p"), ("http_proxy", "p"), ("HTTPS_PROXY", "q"), ("NO_PROXY", "n"), ("no_proxy", "n"),
    ]  # fmt: skip


def test_unconsumed() -> None:
    parsed = parse(b"ARG A\nFROM x AS one\nARG B\nFROM y\nARG C=1 D")
    given = ["Z", "A", "B", "C", "D", "Y", "no_proxy", "HTTP_PROXY", "TARGETARCH", "BUILDKIT_SYNTAX"]
    assert unconsumed(parsed, given, PREDEFINED) == ["Y", "Z"]
    assert unconsumed(parsed, given, PREDEFINED, [*parse(b"FROM x\nARG Y=2").stages[0].instructions]) == ["Z"]
