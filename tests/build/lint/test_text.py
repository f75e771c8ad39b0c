"""What --check prints."""

from __future__ import annotations

from millefeuille.build.dockerfile.parser import parse
from millefeuille.build.lint.facts import Around
from millefeuille.build.lint.lint import lint
from millefeuille.build.lint.text import report_text
from millefeuille.oci.platform import Platform


def printed(text: str) -> str:
    parsed = parse(text.encode())
    target = Platform(os="linux", architecture="amd64")
    return report_text(lint(parsed, Around(build_args={}, predefined={}, target=target)), parsed)


def test_nothing_found() -> None:
    assert printed("FROM x\n") == "Check complete, no warnings found.\n"


def test_one_warning() -> None:
    assert printed("FROM x\nRUN a\nRUN b\nCMD c\nRUN d\n") == (
        "Check complete, 1 warning has been found!\n"
        "\n"
        "WARNING: JSONArgsRecommended - https://docs.docker.com/go/dockerfile/rule/json-args-recommended/\n"
        "JSON arguments recommended for CMD to prevent unintended behavior related to OS signals\n"
        "Dockerfile:4\n"
        "--------------------\n"
        "   2 |     RUN a\n"
        "   3 |     RUN b\n"
        "   4 | >>> CMD c\n"
        "   5 |     RUN d\n"
        "   6 |     \n"
        "--------------------\n"
    )


def test_two_warnings_one_of_several_lines() -> None:
    text = printed("FROM x\n\nENV a \\\n b \\\n c\n\nMAINTAINER c")
    assert text.startswith("Check complete, 2 warnings have been found!\n")
    assert (
        "Dockerfile:3\n"
        "--------------------\n"
        "   2 |     \n"
        "   3 | >>> ENV a \\\n"
        "   4 | >>>  b \\\n"
        "   5 | >>>  c\n"
        "   6 |     \n"
        "--------------------\n"
    ) in text
