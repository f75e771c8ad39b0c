"""Steps of a history as instructions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from millefeuille.analysis.dockerfile import dockerfile, instruction
from millefeuille.analysis.image import make_image
from millefeuille.build.dockerfile.instructions import User
from millefeuille.build.dockerfile.parser import parse as parse_dockerfile
from millefeuille.oci.config import History, parse

SUM = "ed213a5d1bc2f1354f414b411ed293b6462e6e08337fa13135949a56354c5f00"


@pytest.mark.parametrize(
    ("created_by", "found"),
    [
        ('/bin/sh -c #(nop)  CMD ["sh"]', 'CMD ["sh"]'),
        (f"/bin/sh -c #(nop) COPY dir:{SUM} in /app ", f"COPY dir:{SUM} /app"),
        (f"/bin/sh -c #(nop) COPY --chown=a:bdir:{SUM} in /app ", f"COPY --chown=a:b dir:{SUM} /app"),
        (f"/bin/sh -c #(nop) ADD --chown=5multi:{SUM} in / ", f"ADD --chown=5 multi:{SUM} /"),
        (f"/bin/sh -c #(nop) ADD file:{SUM} in /d e/ ", f'ADD ["file:{SUM}", "/d e/"]'),
        (f"/bin/sh -c #(nop) COPY --chown=a:bdir:{SUM} in /d in e/ ",
         f'COPY --chown=a:b ["dir:{SUM}", "/d in e/"]'),
        ("/bin/bash -o pipefail -c #(nop)  USER 1000", "USER 1000"),
        (f"/bin/bash -c #(nop) COPY file:{SUM} in /a ", f"COPY file:{SUM} /a"),
        ("#(nop)  ENV A=1", "ENV A=1"),
        ("/opt/shell -x #(nop)  USER 1000", "USER 1000"),
        ("/opt/shell -x #(nop)  anything", "# /opt/shell -x #(nop) anything"),
        ("/bin/sh -c echo #(nop)  USER 1000", "RUN echo #(nop)  USER 1000"),
        ("RUN /bin/sh -c echo #(nop)  USER 1000 # buildkit", "RUN echo #(nop)  USER 1000"),
        ("/bin/sh -c apt-get update", "RUN apt-get update"),
        ("|2 A=1 B=x y /bin/sh -c make $A", "RUN make $A"),
        ("|1 A=1 /bin/bash -o pipefail -c make | tee log", "RUN make | tee log"),
        ("/bin/bash -exo pipefail -c set -u; make", "RUN set -u; make"),
        ("/bin/ash -eo pipefail -c make", "RUN make"),
        ("RUN /bin/sh -c make # buildkit", "RUN make"),
        ("RUN /bin/bash -o pipefail -c make # buildkit", "RUN make"),
        ("RUN |1 A=1 /bin/bash -c make # buildkit", "RUN make"),
        ("COPY app /app # buildkit", "COPY app /app"),
        ("ENV A=1", "ENV A=1"),
        ("bazel build ...", "# bazel build ..."),
        ("", "# a step without words"),
        ("/bin/sh -c #(nop)  FROM x", "# FROM x"),
        ("FROM x # buildkit", "# FROM x"),
    ],
)  # fmt: skip
def test_a_step(created_by: str, found: str) -> None:
    assert instruction(History(created_by=created_by)) == found


def _told(
    steps: Sequence[str], config: Mapping[str, Any], *, base_steps: int = 0, system: str = "linux"
) -> str:
    document = {
        "os": system, "architecture": "amd64", "config": config, "rootfs": {"type": "layers", "diff_ids": []},
        "history": [{"created_by": step, "empty_layer": True} for step in steps],
    }  # fmt: skip
    base = "base" if base_steps else ""
    found = parse(json.dumps(document).encode())
    return dockerfile(make_image("x", found, [], base_name=base, base_steps=base_steps))


STEPS = [
    "RUN /bin/sh -c echo -c one # buildkit",
    "SHELL [/bin/sh -o errexit -c]",
    "RUN /bin/sh -o errexit -c echo two # buildkit",
    "RUN |1 V=1 /bin/sh -o errexit -c /bin/sh -o errexit -c x # buildkit",
    "RUN /bin/sh -c a list # buildkit",
    "/bin/sh -c #(nop)  SHELL [/bin/ash --login -c]",
    "/bin/ash --login -c echo three",
    "|1 V=a b /bin/ash --login -c echo four",
]


def test_commands_stand_behind_the_shell_in_use() -> None:
    assert _told(STEPS, {"Shell": ["/bin/ash", "--login", "-c"]}).split("\n") == [
        "FROM scratch", "RUN echo -c one", 'SHELL ["/bin/sh", "-o", "errexit", "-c"]', "RUN echo two",
        "RUN /bin/sh -o errexit -c x", "RUN a list", 'SHELL ["/bin/ash", "--login", "-c"]', "RUN echo three",
        "RUN echo four", "",
    ]  # fmt: skip


@pytest.mark.parametrize("shell", ["/bin/bash -o pipefail -c", "/bin/sh -c -e", "powershell -Command $x=1;"])
def test_the_classic_builder_writes_the_shell_in_use_in_front_of_each_step(shell: str) -> None:
    steps = [
        "/bin/sh -c #(nop)  ENV A=1", f"{shell} #(nop)  SHELL [{shell}]", f"{shell} touch /a",
        f"{shell} #(nop)  USER 1000", f'{shell} #(nop)  CMD ["x" "y"]', f"|1 V=1 {shell} rm /a",
    ]  # fmt: skip
    words = shell.split(" ")
    rest = ["RUN touch /a", "USER 1000", 'CMD ["x", "y"]', "RUN rm /a", ""]
    assert _told(steps, {"Shell": words}).split("\n") == [
        "FROM scratch", "ENV A=1", f"SHELL {json.dumps(words)}", *rest
    ]  # fmt: skip
    assert _told(steps, {"Shell": words}, base_steps=2).split("\n") == ["FROM base", *rest]


def test_the_shell_of_a_base_is_in_use() -> None:
    text = _told(STEPS, {"Shell": ["/bin/ash", "--login", "-c"]}, base_steps=6)
    assert text == "FROM base\nRUN echo three\nRUN echo four\n"


def test_a_shell_that_only_the_config_tells() -> None:
    steps = ["RUN /bin/true", "RUN /bin/ash --login -c echo hi # buildkit"]
    config = {"Shell": ["/bin/ash", "--login", "-c"]}
    assert _told(steps, config, base_steps=1) == "FROM base\nRUN echo hi\n"
    assert _told(steps[1:], config) == 'FROM scratch\nSHELL ["/bin/ash", "--login", "-c"]\nRUN echo hi\n'


@pytest.mark.parametrize(
    ("arguments", "commands", "said"),
    [
        (["A=a b C"], ["|1 A=a b /bin/sh -c x"], ['A="a b" C']),
        (["A=a b C"], [], ['A="a b C"']),
        (["A=a B=b"], ["|1 A=a B=b /bin/sh -c x"], ['A="a B=b"']),
        (["A=a", "B=$x y"], ["|2 A=a B=$x y /bin/sh -c x"], ["A=a", 'B="\\$x y"']),
        (["A=1 C", "A=2 C"], ["|1 A=2 /bin/sh -c x"], ['A="1 C"', "A=2 C"]),
        (["A=1 B=2", "D=e f"], ["|2 A=1 B=2 D=e f /bin/sh -c x"], ["A=1 B=2", 'D="e f"']),
        (["A=1 C"], ["touch /a", "|1 A=1 /bin/sh -c x"], ["A=1 C"]),
        (["A=x  C"], ["|1 A=x  /bin/sh -c y"], ['A="x " C']),
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["ARG {} # buildkit", "/bin/sh -c #(nop)  ARG {}"])
def test_values_of_arguments_are_told_by_the_commands_behind(
    arguments: list[str], commands: list[str], said: list[str], form: str
) -> None:
    prefix, suffix = ("RUN ", " # buildkit") if "buildkit" in form else ("", "")
    steps = [form.format(each) for each in arguments]
    steps += [f"{prefix}{each if each[0] == '|' else f'/bin/sh -c {each}'}{suffix}" for each in commands]
    found = _told(steps, {}).split("\n")
    assert [line for line in found if line.startswith("ARG ")] == [f"ARG {each}" for each in said]


def test_commands_that_are_lists_behind_arguments() -> None:
    steps = [
        "ARG V=1 2", "RUN |1 V=1 2 busybox touch /a b # buildkit", "ARG W", "|2 V=1 2 W=x y tini make",
        "|2 V=1 2 W=x y /bin/sh -c make", "ARG X=1", "|3 V=1 2 W=x y X=3 make all",
    ]  # fmt: skip
    assert _told(steps, {}).split("\n") == [
        "FROM scratch", 'ARG V="1 2"', "RUN busybox touch /a b", "ARG W", "RUN tini make", "RUN make",
        "ARG X=1", "# RUN |3 V=1 2 W=x y X=3 make all", "",
    ]  # fmt: skip


def test_the_shell_of_windows() -> None:
    assert _told(["RUN cmd /S /C dir # buildkit"], {}, system="windows") == "FROM scratch\nRUN dir\n"


def test_triggers_that_no_step_tells() -> None:
    triggers = {"OnBuild": ["RUN echo hi", "COPY . /x", "RUN <<EOF\na\nEOF", "RUN a \\"]}
    assert _told(["/bin/sh -c #(nop)  ONBUILD COPY . /x"], triggers) == (
        "FROM scratch\nONBUILD COPY . /x\nONBUILD RUN echo hi\n"
        "# ONBUILD RUN <<EOF a EOF\n# ONBUILD RUN a \\\n"
    )


@pytest.mark.parametrize(
    "step",
    [
        "WORKDIR /a\nRUN evil # buildkit", "/bin/sh -c #(nop)  USER a\nRUN evil",
        "#(nop) COPY file:a in /b\nRUN evil", "RUN /bin/sh -c a \\\r\nUSER b # buildkit",
        "ENV A 1\nRUN evil", "RUN a \\\n#b",
    ],
)  # fmt: skip
def test_a_step_is_one_instruction(step: str) -> None:
    text = _told([step, "USER me"], {"User": "me"})
    (stage,) = parse_dockerfile(text.encode()).stages
    assert len(stage.instructions) <= 2
    assert isinstance(stage.instructions[-1], User)
    assert stage.instructions[-1].user == "me"


def test_a_comment_of_a_step_is_one_line() -> None:
    assert instruction(History(comment="a\nRUN evil")) == "# a RUN evil"
