"""Which fields of which instruction are expanded."""

from __future__ import annotations

from typing import Any

import pytest

from millefeuille.build.dockerfile.errors import DockerfileError
from millefeuille.build.dockerfile.heredoc import Heredoc
from millefeuille.build.dockerfile.instructions import Declared, Instruction, Pair, ShellForm
from millefeuille.build.dockerfile.parser import parse
from millefeuille.build.expanded import expanded
from millefeuille.build.scope import Scope

SCOPE = Scope(
    variables={"v": "val", "two": "a b", "ports": "80 81/udp", "range": "90-92", "sig": "USR1", "k": "key"},
    build_args={"given": "it"},
    globals={"outer": "global"},
)


def done(text: str, escape: str = "") -> Instruction:
    head = f"# escape={escape}\n" if escape else ""
    (one,) = parse(f"{head}FROM x\n{text}\n".encode()).stages[0].instructions
    return expanded(one, SCOPE)


CASES: dict[str, dict[str, Any]] = {
    "COPY $v ${v}x /$v": {"sources": ("val", "valx"), "destination": "/val"},
    "COPY --chown=$v:$k --chmod=$v --exclude=$v --from=x a b": {
        "chown": "val:key", "chmod": "val", "exclude": ("$v",), "from_": "x",
    },
    'COPY ["$v x", "\'$v\'"]': {"sources": ("val x",), "destination": "$v"},
    "COPY $two /": {"sources": ("a b",)},
    "COPY a\\ b c": {"sources": ("a", "b"), "destination": "c"},
    "ADD --checksum=sha256:$v --chown=$v $v /$v": {
        "checksum": "sha256:val", "chown": "val", "sources": ("val",), "destination": "/val",
    },
    "ENV a=$v $k=1 b='$v' c=\"$v\" d=\\$v": {
        "pairs": (Pair("a", "val"), Pair("key", "1"), Pair("b", "$v"), Pair("c", "val"), Pair("d", "$v")),
    },
    "ENV a $v 'b c'": {"pairs": (Pair("a", "val b c"),)},
    "LABEL a.$k=$v 'b c'=d": {"pairs": (Pair("a.key", "val"), Pair("b c", "d"))},
    "EXPOSE $ports 70 $range/TCP": {
        "ports": ("80/tcp", "81/udp", "90/tcp", "91/tcp", "92/tcp", "70/tcp"),
    },
    "EXPOSE 127.0.0.1:1:443/Udp 8080": {"ports": ("443/udp", "8080/tcp")},
    "EXPOSE $unset": {"ports": ()},
    "USER $v:$k": {"user": "val:key"},
    "VOLUME $v/x $two": {"volumes": ("val/x", "a b")},
    'VOLUME ["/$v"]': {"volumes": ("/val",)},
    "WORKDIR /$v": {"path": "/val"},
    "WORKDIR '/$v'": {"path": "/$v"},
    "STOPSIGNAL SIG$sig": {"signal": "SIGUSR1"},
    "ARG a=$v b=${v#v} given=x outer none": {
        "pairs": (
            Declared("a", "val"), Declared("b", "al"), Declared("given", "it"), Declared("outer", "global"),
            Declared("none", None),
        ),
    },
    "ARG given=${unset:?unasked}": {"pairs": (Declared("given", "it"),)},
    # not expanded
    "RUN echo $v": {"command": ShellForm("echo $v")},
    'RUN ["$v"]': {"command": ("$v",)},
    "RUN --mount=type=cache,target=/$v,id=$k x": {"mounts": ("type=cache,target=/$v,id=$k",)},
    "CMD $v": {"command": ShellForm("$v")},
    'ENTRYPOINT ["$v"]': {"command": ("$v",)},
    'SHELL ["$v"]': {"argv": ("$v",)},
    "HEALTHCHECK CMD $v": {"test": ("CMD-SHELL", "$v")},
    "MAINTAINER $v": {"author": "$v"},
    "ONBUILD ENV a=$v": {"text": "ENV a=$v"},
    "RUN <<EOF\n$v\nEOF": {"heredocs": (Heredoc(name="EOF", content="$v\n"),)},
}  # fmt: skip


@pytest.mark.parametrize("text", CASES)
def test_expanded(text: str) -> None:
    one = done(text)
    assert {name: getattr(one, name) for name in CASES[text]} == CASES[text]
    assert one.original == text.partition("\n")[0]


BODIES = {
    "<<A": 'val ${v} it\'s "$v" \\$v',
    "<<'A'": "$v",
}


def body(opening: str, text: str, escape: str = "") -> str:
    one: Any = done(f"COPY {opening} /f\n{text}\nA", escape)
    (source,) = one.sources
    assert isinstance(source, Heredoc)
    assert not source.expand and not source.chomp
    return source.content


@pytest.mark.parametrize(
    ("opening", "text", "content"),
    [
        ("<<A", "$v ${v} it's \"$v\" '$v' \\$v", "val val it's \"val\" 'val' $v\n"),
        ("<<'A'", "$v \\$v", "$v \\$v\n"),
        ('<<"A"', "$v", "$v\n"),
        ("<<A", "${unset:-x}\n\n  y", "x\n\n  y\n"),
        ("<<-A", "\t\t$v\n\t x\ty", "val\n x\ty\n"),
        ("<<-'A'", "\t$v", "$v\n"),
        ("<<A", "\t$v", "\tval\n"),
    ],
)
def test_bodies_of_copy(opening: str, text: str, content: str) -> None:
    assert body(opening, text) == content


def test_bodies_keep_the_default_escape_character() -> None:
    assert body("<<A", "`$v \\$v", "`") == "`val $v\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ENV a=${unset:?give-it}", 'failed to process "${unset:?give-it}": unset: give-it'),
        ("COPY ${v a b", "failed to process \"${v\": syntax error: missing '}'"),
        ('WORKDIR "x', "unexpected end of statement while looking for matching double-quote"),
        ("EXPOSE $v", "invalid containerPort: val"),
        ("EXPOSE ${range}/x", "invalid proto: x"),
        ("STOPSIGNAL $v", "invalid signal: val"),
        ("STOPSIGNAL $unset", "invalid signal: "),
        ("VOLUME $unset", "VOLUME specified can not be an empty string"),
        ("ENV $unset=1", "ENV names can not be blank"),
        ('LABEL ""=1', "LABEL names can not be blank"),
        ("RUN --mount=type=$v x", 'unsupported mount type "val"'),
        ("RUN --mount=type=cache,target=/a,mode=$v x", "invalid value val for mode"),
        ("COPY http://x/y /z", "source can't be a URL for COPY"),
        ("COPY <<A /f\n${v:\nA", "unsupported modifier (:\\n) in substitution"),
    ],
)
def test_failures_name_the_line(text: str, message: str) -> None:
    with pytest.raises(DockerfileError) as caught:
        done(text)
    assert caught.value.line == 2
    assert str(caught.value).endswith(message)
