"""Instructions as histories tell them, made such as a builder takes."""

from __future__ import annotations

from typing import Any

import pytest

from millefeuille.analysis.rewording import reworded
from millefeuille.build.dockerfile.instructions import Healthcheck
from millefeuille.build.dockerfile.parser import parse

CONFIG = {
    "Env": ["PATH=/bin", "A=x y=z", "B=hello world", 'C=say "hi" $HOME', "D=1", 'J="x"', "K=", "L=a\nb"],
    "Labels": {"m": "My App", "n": "1", "my label": "2", "label": "3"},
    "Volumes": {"/v": {}, "/v 1": {}, "/w": {}}, "Shell": ["/bin/x", "-e a", "-c"],
    "Healthcheck": {"Test": ["CMD-SHELL", "curl -f x || exit 1"], "Interval": 5_000_000_000, "Retries": 2},
}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ('CMD ["nginx" "-g" "daemon off;"]', 'CMD ["nginx", "-g", "daemon off;"]'),
        ('CMD ["x"]', 'CMD ["x"]'),
        ('CMD ["x","y z"]', 'CMD ["x","y z"]'),
        ('CMD ["say \\"a\\" b" "c"]', 'CMD ["say \\"a\\" b", "c"]'),
        ("CMD echo hi", "CMD echo hi"),
        ("SHELL [/bin/bash -c]", 'SHELL ["/bin/bash", "-c"]'),
        ("VOLUME [/a /b]", 'VOLUME ["/a", "/b"]'),
        ("VOLUME [/v 1 /w /v]", 'VOLUME ["/v 1", "/w", "/v"]'),
        ("SHELL [/bin/x -e a -c]", 'SHELL ["/bin/x", "-e a", "-c"]'),
        ("EXPOSE [80/tcp 90/udp]", "EXPOSE 80/tcp 90/udp"),
        ("EXPOSE map[80/tcp:{} 90/udp:{}]", "EXPOSE 80/tcp 90/udp"),
        ("ENV A=x y=z B=hello world", 'ENV A="x y=z" B="hello world"'),
        ('ENV C=say "hi" $HOME', 'ENV C="say \\"hi\\" \\$HOME"'),
        ("ENV E=old words F=2", 'ENV E="old words" F=2'),
        ("ENV A 1", "ENV A 1"),
        ('ENV J="x" K= D="1"', 'ENV J="\\"x\\"" K="" D=1'),
        ('ENV E="x y" D=1', 'ENV E="x y" D=1'),
        ("ENV D=1 L=a\nb", 'ENV D=1\n# ENV L="a b"'),
        ("ENV D 1", "ENV D 1"),
        ("ENV ", "# ENV"),
        ("LABEL m=My App n=1", 'LABEL m="My App" n=1'),
        ("LABEL n=1 my label=2 m=My App", 'LABEL n=1 "my label"=2 m="My App"'),
        ("LABEL my label=old label=3", 'LABEL "my label"=old label=3'),
        ("LABEL n=old one my label=2", 'LABEL n="old one" "my label"=2'),
        ("LABEL other label=2", "# LABEL other label=2"),
        ("LABEL n=1 other", "LABEL n=1\n# LABEL other"),
        ('LABEL "n"="1" "z"="My App"', 'LABEL "n"="1" "z"="My App"'),
        ("LABEL n='1' m='My App'", "LABEL n='1' m='My App'"),
        ("ENV B='hello world' C='say \"hi\" $HOME'", "ENV B='hello world' C='say \"hi\" $HOME'"),
        ("ENV B=hello\\ world E='D=5 x'", "ENV B=hello\\ world E='D=5 x'"),
        ('ENV B="hello world" E="$D \\"q\\""', 'ENV B="hello world" E="$D \\"q\\""'),
        ("ENV E='old words' F=2", "ENV E='old words' F=2"),
        ("ENV J='x' B='hello world' L='", "ENV J='x' B=\"hello world\" L=\"'\""),
        ("HEALTHCHECK {Test:[CMD-SHELL x]}", "HEALTHCHECK --interval=5s --retries=2 CMD curl -f x || exit 1"),
        ("HEALTHCHECK NONE", "HEALTHCHECK NONE"),
        ("COPY <<EOT /here.txt", "# COPY <<EOT /here.txt"),
        ("RUN echo one\necho EOF\nEOF", "RUN <<EOFF\necho one\necho EOF\nEOF\nEOFF"),
        ("RUN a && \\\n  b", "RUN a && \\\n  b"),
        ("RUN echo $((1<<3))\necho", "RUN <<EOF\necho $((1<<3))\necho\nEOF"),
        ("RUN echo $((1<<3))", "RUN echo $((1<<3))"),
        ("RUN echo $(( 1<<3 ))", "RUN <<EOF\necho $(( 1<<3 ))\nEOF"),
        ("RUN cat <<X > /f\nhello\nX", "RUN cat <<X > /f\nhello\nX"),
        ("RUN cat <<X <<-'Y'\nhello\nX\n\ta\n\tY", "RUN cat <<X <<-'Y'\nhello\nX\n\ta\n\tY"),
        ("RUN cat <<X\nhello\nX\necho", "RUN <<EOF\ncat <<X\nhello\nX\necho\nEOF"),
        ("RUN cat <<X\nhello", "RUN <<EOF\ncat <<X\nhello\nEOF"),
        ("RUN echo a\ncat <<EOF\nhey\nEOF", "RUN <<EOFF\necho a\ncat <<EOF\nhey\nEOF\nEOFF"),
        ('RUN echo "a <<X b"\nX', 'RUN <<EOF\necho "a <<X b"\nX\nEOF'),
        ("RUN cat <<< a", "RUN cat <<< a"),
        ("USER me", "USER me"),
        ("ARG FOO=a b", 'ARG FOO="a b"'),
        ("ARG FOO=$x", 'ARG FOO="\\$x"'),
        ("ARG FOO", "ARG FOO"),
        ("ARG FOO BAR=1 BAZ", 'ARG FOO BAR="1 BAZ"'),
        ("ARG G=1 H I=k X=2 J", 'ARG G=1 H I="k X=2" J'),
        ('ARG FOO="a b"', 'ARG FOO="a b"'),
        *((f"{word} /a\nRUN x", f"# {word} /a RUN x") for word in (
            "WORKDIR", "USER", "EXPOSE", "VOLUME", "CMD", "ENTRYPOINT", "STOPSIGNAL", "HEALTHCHECK",
            "MAINTAINER", "ONBUILD", "ADD", "COPY", "SHELL", "ENV", "LABEL",
        )),
        ("USER\nRUN x", "# USER RUN x"),
        ("WORKDIR /a\\", "# WORKDIR /a\\"),
        ("WORKDIR /a\\ \t", "# WORKDIR /a\\"),
        ("ENV A a\\", "# ENV A a\\"),
        ('CMD ["a\nb"]', '# CMD ["a b"]'),
        ("COPY <<X /a\nhello\nX", "COPY <<X /a\nhello\nX"),
        ("COPY <<X /a\nhello\nX\nRUN x", "# COPY <<X /a hello X RUN x"),
        ("RUN a \\", "RUN <<EOF\na \\\nEOF"),
        ("RUN a \\\n# b", "RUN <<EOF\na \\\n# b\nEOF"),
        ("RUN a \\\n # b \\\n c", "RUN <<EOF\na \\\n # b \\\n c\nEOF"),
        ("RUN a \\\v\nUSER b", "RUN <<EOF\na \\\v\nUSER b\nEOF"),
    ],
)
def test_an_instruction(told: str, said: str) -> None:
    assert reworded(told, CONFIG, {"G": "1", "I": "k X=2"}) == said


@pytest.mark.parametrize(
    ("nanoseconds", "said"),
    [
        (12_345_678_900, "12.3456789s"), (1_000_000_000_000_000, "1000000s"), (1, "0.000000001s"),
        (60_000_000_000, "60s"), (1_500_000_000, "1.5s"),
    ],
)  # fmt: skip
def test_times_of_a_check_are_told_exactly(nanoseconds: int, said: str) -> None:
    check = {"Test": ["CMD", "x"], "Interval": nanoseconds, "StartPeriod": nanoseconds}
    told = reworded("HEALTHCHECK &{x}", {"Healthcheck": check})
    assert told == f'HEALTHCHECK --interval={said} --start-period={said} CMD ["x"]'
    if nanoseconds > 1_000_000:  # what Docker takes
        (instruction,) = parse(f"FROM a\n{told}".encode()).stages[0].instructions
        assert isinstance(instruction, Healthcheck)
        assert instruction.interval == nanoseconds


@pytest.mark.parametrize("config", [{}, {"Healthcheck": None}])
def test_a_check_that_no_config_tells_is_a_comment(config: dict[str, Any]) -> None:
    assert reworded('HEALTHCHECK &{["CMD" "x"] "5s"}', config) == '# HEALTHCHECK &{["CMD" "x"] "5s"}'


def test_a_list_with_the_end_of_a_line_is_told_by_the_config() -> None:
    assert reworded("VOLUME [/a\nRUN x]", {"Volumes": {"/a\nRUN x": {}}}) == 'VOLUME ["/a\\nRUN x"]'


def test_a_check_of_several_lines_is_a_comment() -> None:
    check = {"Healthcheck": {"Test": ["CMD-SHELL", "a\nRUN x"]}}
    assert reworded("HEALTHCHECK &{x}", check) == "# HEALTHCHECK &{x}"
