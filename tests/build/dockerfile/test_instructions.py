"""Each instruction: what its words come to."""

from __future__ import annotations

from typing import Any

import pytest

from millefeuille.build.dockerfile.errors import DockerfileError
from millefeuille.build.dockerfile.instructions import (
    Add,
    Arg,
    Cmd,
    Copy,
    Declared,
    Entrypoint,
    Env,
    Expose,
    Healthcheck,
    Instruction,
    Label,
    Location,
    Maintainer,
    Onbuild,
    Pair,
    Run,
    Shell,
    ShellForm,
    StopSignal,
    User,
    Volume,
    Workdir,
)
from millefeuille.build.dockerfile.parser import parse, parse_trigger

SECOND = 1_000_000_000

CASES: dict[str, tuple[type[Instruction], dict[str, Any]]] = {
    # RUN, CMD, ENTRYPOINT, SHELL
    "RUN a b": (Run, {"command": ShellForm("a b"), "mounts": (), "network": "", "security": ""}),
    "run  a   b": (Run, {"command": ShellForm("a   b")}),
    'RUN ["a", "b c"]': (Run, {"command": ("a", "b c")}),
    'RUN   [ "a" ]  ': (Run, {"command": ("a",)}),
    'RUN ["a\\u00e9\\n"]': (Run, {"command": ("aé\n",)}),
    'RUN ["\\ud800"]': (Run, {"command": ("\ufffd",)}),
    "RUN ['a']": (Run, {"command": ShellForm("['a']")}),
    'RUN ["a", ]': (Run, {"command": ShellForm('["a", ]')}),
    'RUN ["a"] b': (Run, {"command": ShellForm('["a"] b')}),
    "RUN [ -f x ] && y": (Run, {"command": ShellForm("[ -f x ] && y")}),
    "RUN [NaN]": (Run, {"command": ShellForm("[NaN]")}),
    "RUN [[[[": (Run, {"command": ShellForm("[[[[")}),
    'RUN "a" \'b\' \\c $d': (Run, {"command": ShellForm('"a" \'b\' \\c $d')}),
    "RUN --network=none --security=insecure a": (Run, {"network": "none", "security": "insecure"}),
    "RUN --mount=type=tmpfs,target=/t --mount=type=bind,target=/b a": (
        Run,
        {"mounts": ("type=tmpfs,target=/t", "type=bind,target=/b"), "command": ShellForm("a")},
    ),
    'RUN --mount="type=tmpfs,target=/a b" x': (Run, {"mounts": ("type=tmpfs,target=/a b",)}),
    "RUN --mount=type=tmpfs,target=/a\\ b x": (Run, {"mounts": ("type=tmpfs,target=/a b",)}),
    "RUN --network='no'ne x": (Run, {"network": "none"}),
    "RUN -- --network=none x": (Run, {"network": "", "command": ShellForm("--network=none x")}),
    "RUN --network=none -- -x": (Run, {"network": "none", "command": ShellForm("-x")}),
    "RUN -x --network=none": (Run, {"command": ShellForm("-x --network=none")}),
    "CMD": (Cmd, {"command": ShellForm("")}),
    "CMD []": (Cmd, {"command": ()}),
    'CMD ["a"]': (Cmd, {"command": ("a",)}),
    "CMD a $b": (Cmd, {"command": ShellForm("a $b")}),
    "ENTRYPOINT []": (Entrypoint, {"command": ()}),
    'ENTRYPOINT ["a", ""]': (Entrypoint, {"command": ("a", "")}),
    "ENTRYPOINT a b": (Entrypoint, {"command": ShellForm("a b")}),
    'SHELL ["/bin/bash", "-c"]': (Shell, {"argv": ("/bin/bash", "-c")}),
    # ENV, LABEL, ARG
    "ENV a=b": (Env, {"pairs": (Pair("a", "b"),), "legacy": False}),
    "ENV a=b c=d": (Env, {"pairs": (Pair("a", "b"), Pair("c", "d"))}),
    'ENV a="b c" d=\'e f\' g=h\\ i': (
        Env,
        {"pairs": (Pair("a", '"b c"'), Pair("d", "'e f'"), Pair("g", "h\\ i"))},
    ),
    "ENV a=": (Env, {"pairs": (Pair("a", ""),)}),
    "ENV a=b=c": (Env, {"pairs": (Pair("a", "b=c"),)}),
    "ENV a='\\' b=c": (Env, {"pairs": (Pair("a", "'\\'"), Pair("b", "c"))}),
    'ENV a="b\\" c" d=e': (Env, {"pairs": (Pair("a", '"b\\" c"'), Pair("d", "e"))}),
    "ENV a='b c": (Env, {"pairs": (Pair("a", "'b c"),)}),
    'ENV "a"=b': (Env, {"pairs": (Pair('"a"', "b"),)}),
    "ENV a b": (Env, {"pairs": (Pair("a", "b"),), "legacy": True}),
    "ENV a  b  c=d": (Env, {"pairs": (Pair("a", "b  c=d"),), "legacy": True}),
    "ENV a\tb": (Env, {"pairs": (Pair("a", "b"),), "legacy": True}),
    "ENV -- a=b": (Env, {"pairs": (Pair("a", "b"),)}),
    "LABEL a.b=c": (Label, {"pairs": (Pair("a.b", "c"),), "legacy": False}),
    "LABEL a b": (Label, {"pairs": (Pair("a", "b"),), "legacy": True}),
    'LABEL "a b"="c d"': (Label, {"pairs": (Pair('"a b"', '"c d"'),)}),
    "ARG a": (Arg, {"pairs": (Declared("a", None),)}),
    "ARG a=": (Arg, {"pairs": (Declared("a", ""),)}),
    "ARG a=b c d=$e": (Arg, {"pairs": (Declared("a", "b"), Declared("c", None), Declared("d", "$e"))}),
    'ARG a="b c" d': (Arg, {"pairs": (Declared("a", '"b c"'), Declared("d", None))}),
    # COPY, ADD
    "COPY a b": (
        Copy,
        {
            "sources": ("a",), "destination": "b", "from_": "", "chown": "", "chmod": "", "link": False,
            "parents": False, "exclude": (),
        },
    ),
    "COPY a  b\tc /d/": (Copy, {"sources": ("a", "b", "c"), "destination": "/d/"}),
    'COPY ["a b", "c d"]': (Copy, {"sources": ("a b",), "destination": "c d"}),
    "COPY [a, b]": (Copy, {"sources": ("[a,",), "destination": "b]"}),
    'COPY "a b" c': (Copy, {"sources": ('"a', 'b"'), "destination": "c"}),
    "COPY --from=x --chown=1:2 --chmod=u=rwX --link --parents --exclude=*.a --exclude=!b.a s d": (
        Copy,
        {
            "from_": "x", "chown": "1:2", "chmod": "u=rwX", "link": True, "parents": True,
            "exclude": ("*.a", "!b.a"), "sources": ("s",),
        },
    ),
    "COPY --link=true a b": (Copy, {"link": True}),
    "COPY --link=FALSE a b": (Copy, {"link": False}),
    "COPY --parents=false a b": (Copy, {"parents": False}),
    "COPY --chown= a b": (Copy, {"chown": ""}),
    "COPY --from=0 a b": (Copy, {"from_": "0"}),
    "COPY -- --a b": (Copy, {"sources": ("--a",), "destination": "b"}),
    "ADD a b": (Add, {"checksum": "", "unpack": None, "keep_git_dir": None, "sources": ("a",)}),
    "ADD --unpack=false --keep-git-dir --checksum=sha256:0 a b": (
        Add,
        {"unpack": False, "keep_git_dir": True, "checksum": "sha256:0"},
    ),
    "ADD --unpack --keep-git-dir=false --exclude=x --link --chmod=1 --chown=2 a b": (
        Add,
        {"unpack": True, "keep_git_dir": False, "exclude": ("x",), "link": True, "chmod": "1", "chown": "2"},
    ),
    # the others
    "WORKDIR /a b": (Workdir, {"path": "/a b"}),
    "WORKDIR $x/y": (Workdir, {"path": "$x/y"}),
    "USER a:b": (User, {"user": "a:b"}),
    "MAINTAINER A B <a@b.c>": (Maintainer, {"author": "A B <a@b.c>"}),
    "EXPOSE 80": (Expose, {"ports": ("80",)}),
    "EXPOSE 9090/udp 8080  70-72/tcp $X": (Expose, {"ports": ("$X", "70-72/tcp", "8080", "9090/udp")}),
    "EXPOSE 127.0.0.1:80:80/TCP [::1]::90": (Expose, {}),
    "VOLUME /a /b": (Volume, {"volumes": ("/a", "/b")}),
    'VOLUME ["/a b"]': (Volume, {"volumes": ("/a b",)}),
    'VOLUME [" /a "]': (Volume, {"volumes": ("/a",)}),
    "STOPSIGNAL SIGTERM": (StopSignal, {"signal": "SIGTERM"}),
    "STOPSIGNAL 9": (StopSignal, {"signal": "9"}),
    "STOPSIGNAL rtmin+3": (StopSignal, {"signal": "rtmin+3"}),
    "STOPSIGNAL $S": (StopSignal, {"signal": "$S"}),
    "HEALTHCHECK NONE": (Healthcheck, {"test": ("NONE",)}),
    "healthcheck none": (Healthcheck, {"test": ("NONE",)}),
    "HEALTHCHECK CMD a b": (
        Healthcheck,
        {"test": ("CMD-SHELL", "a b"), "interval": 0, "timeout": 0, "retries": 0},
    ),
    'HEALTHCHECK cmd ["a", "b"]': (Healthcheck, {"test": ("CMD", "a", "b")}),
    "HEALTHCHECK --interval=1m30s --timeout=1.5s --start-period=1h --start-interval=1ms --retries=3 CMD a": (
        Healthcheck,
        {
            "interval": 90 * SECOND, "timeout": 3 * SECOND // 2, "start_period": 3600 * SECOND,
            "start_interval": 1_000_000, "retries": 3,
        },
    ),
    "HEALTHCHECK --interval=0 --timeout=0s --retries=0 CMD a": (
        Healthcheck,
        {"interval": 0, "timeout": 0, "retries": 0},
    ),
    "ONBUILD RUN a": (Onbuild, {"text": "RUN a"}),
    "onbuild  copy --from=x a b": (Onbuild, {"text": "copy --from=x a b"}),
}  # fmt: skip


def only(text: str) -> Instruction:
    (one,) = parse(f"FROM x\n{text}\n".encode()).stages[0].instructions
    return one


@pytest.mark.parametrize("text", CASES)
def test_instruction(text: str) -> None:
    kind, fields = CASES[text]
    one = only(text)
    assert type(one) is kind
    assert {name: getattr(one, name) for name in fields} == fields
    assert one.original == text.strip()
    assert one.location == Location(2, 2)


FROMS = {
    "FROM x": ("x", "", None),
    "from x": ("x", "", None),
    "FROM x as y": ("x", "", "y"),
    "FROM x AS Y-1_a.b": ("x", "", "y-1_a.b"),
    "FROM --platform=linux/arm64 x:1@sha256:0 aS y": ("x:1@sha256:0", "linux/arm64", "y"),
    "FROM --platform=$BUILDPLATFORM ${A:-b}": ("${A:-b}", "$BUILDPLATFORM", None),
}


@pytest.mark.parametrize("text", FROMS)
def test_from(text: str) -> None:
    one = parse(text.encode()).stages[0].from_
    assert (one.image, one.platform, one.name) == FROMS[text]


def test_arguments_have_the_comment_that_begins_with_their_name() -> None:
    (arg,) = parse(b"# B the b\n# A the a\nARG A=1 B C\nFROM x").global_args
    assert [pair.comment for pair in arg.pairs] == ["the a", "the b", ""]


def test_a_trigger_is_parsed() -> None:
    one = only("ONBUILD RUN --network=none a")
    assert isinstance(one, Onbuild)
    assert isinstance(one.trigger, Run)
    assert (one.trigger.network, one.trigger.original) == ("none", "RUN --network=none a")


def test_triggers_of_a_config() -> None:
    place = Location(7, 7)
    one = parse_trigger("COPY <<A <<-B /d/\na\nA\n\tb\nB", location=place)
    assert isinstance(one, Copy)
    assert (len(one.sources), one.location) == (2, place)
    run = parse_trigger("RUN a \\\n b", location=place)
    assert isinstance(run, Run)
    assert run.command == ShellForm("a  b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "file with no instructions"),
        ("# syntax=x", "file with no instructions"),
        ("FROM x", "FROM isn't allowed as an ONBUILD trigger"),
        ("ONBUILD RUN a", "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"),
        ("RUN a\nRUN b", "an ONBUILD trigger is one instruction"),
        ("COPY <<A b", "unterminated heredoc"),
        ("NONSENSE", "unknown instruction: NONSENSE"),
        ("RUN \0", "the instruction holds a NUL character"),
        ("RUN \udcff", "the instruction is not valid UTF-8"),
    ],
)
def test_wrong_triggers(text: str, message: str) -> None:
    with pytest.raises(DockerfileError) as caught:
        parse_trigger(text, name="Dockerfile", location=Location(7, 7))
    assert str(caught.value) == f"Dockerfile:7: {message}"
