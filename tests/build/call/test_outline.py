"""--call=targets and --call=outline."""

from __future__ import annotations

from millefeuille.build.call.outline import Outline, outline
from millefeuille.build.call.reached import reached
from millefeuille.build.call.targets import targets
from millefeuille.build.call.text import outline_json, outline_text, targets_json, targets_text
from millefeuille.build.dockerfile.parser import parse
from millefeuille.build.scope import global_scope

TEXT = b"""\
# GO_VERSION is the compiler's
ARG GO_VERSION=1.20
ARG UNUSED=1

# build compiles it
FROM --platform=$BUILDPLATFORM golang:${GO_VERSION} AS Build
# TAGS are the build's tags
ARG TAGS="a b"
RUN --mount=type=secret,id=token --mount=type=cache,target=/go/pkg --mount=type=ssh x

FROM alpine AS other
ARG OTHER=1
RUN --mount=type=secret,id=elsewhere x

# a comment
FROM build AS sub
RUN --mount=type=secret,id=$TAGS,required x
RUN --mount=type=secret,id=token,required x

# final is what ships
FROM scratch AS final
ARG GO_VERSION
ARG EXTRA
COPY --from=sub /x /x
"""


def of(index: int, **build_args: str) -> Outline:
    parsed = parse(TEXT)
    outer = global_scope(parsed, build_args, {"BUILDPLATFORM": "linux/amd64"})
    return outline(parsed, outer, index)


def test_targets() -> None:
    found = targets(parse(TEXT))
    assert targets_text(found) == (
        "TARGET            DESCRIPTION\n"
        "build             compiles it\n"
        "other             \n"
        "sub               \n"
        "final (default)   is what ships\n"
    )
    document = targets_json(found)["targets"]
    assert document[0] == {
        "name": "build",
        "description": "compiles it",
        "base": "golang:${GO_VERSION}",
        "platform": "$BUILDPLATFORM",
        "location": {"ranges": [{"start": {"line": 6}, "end": {"line": 6}}]},
    }
    assert document[3]["default"] is True


def test_a_target_without_a_name() -> None:
    assert targets_text(targets(parse(b"FROM x\nFROM y"))) == (
        "TARGET      DESCRIPTION\n            \n(default)   \n"
    )


def test_outline() -> None:
    found = of(3, TAGS="t", GO_VERSION="9")
    assert [(one.name, one.value, one.description) for one in found.arguments] == [
        ("GO_VERSION", "9", "is the compiler's"),
        ("TAGS", "t", "are the build's tags"),
        ("EXTRA", "", ""),
    ]
    assert [(one.name, one.required, one.location.first) for one in found.secrets] == [
        ("token", True, 9),
        ("t", True, 17),
    ]
    assert [one.name for one in found.agents] == ["default"]
    assert [one.name for one in found.caches] == ["/go/pkg"]
    assert outline_text(found) == (
        "TARGET:        final\n"
        "DESCRIPTION:   is what ships\n"
        "\n"
        "BUILD ARG    VALUE   DESCRIPTION\n"
        "GO_VERSION   9       is the compiler's\n"
        "TAGS         t       are the build's tags\n"
        "EXTRA                \n"
        "\n"
        "SECRET   REQUIRED\n"
        "token    true\n"
        "t        true\n"
        "\n"
        "SSH       REQUIRED\n"
        "default   \n"
    )


def test_an_outline_has_only_what_its_target_reaches() -> None:
    found = of(1)
    assert [one.name for one in found.arguments] == ["OTHER"]
    assert [one.name for one in found.secrets] == ["elsewhere"]
    document = outline_json(found)
    assert document["name"] == "other"
    assert document["secrets"] == [
        {"name": "elsewhere", "location": {"ranges": [{"start": {"line": 13}, "end": {"line": 13}}]}}
    ]
    assert "ssh" not in document


def test_reached_stages() -> None:
    text = b"FROM a AS x\nFROM b\nFROM x AS y\nRUN --mount=from=1,target=/a b\nFROM c\nFROM d\n"
    parsed = parse(text + b"COPY --from=Y a b\nCOPY --from=z a b\nCOPY --from=99 a b\n")
    outer = global_scope(parsed, {}, {})
    assert set(reached(parsed, outer, 4)) == {4, 2, 0, 1}
    assert reached(parsed, outer, 3) == (3,)


def test_circles_end() -> None:
    parsed = parse(b"FROM a AS x\nCOPY --from=1 a b\nFROM x AS y\n")
    assert set(reached(parsed, global_scope(parsed, {}, {}), 1)) == {0, 1}
