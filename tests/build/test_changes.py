"""The instructions of `import -c` and `commit -c`, held against Docker."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.build.changes import BadInstruction, apply_changes

# What `docker import -c ...` of Docker 20.10 puts into the image's config, and says of bad lines; but
# STOPSIGNAL, the case of a command as it was typed, and of what instructions say of their words, are those of
# Docker 28.
CASES: list[tuple[list[str], dict[str, object]]] = [
    (['CMD ["sh", "-c", "x"]'], {"Cmd": ["sh", "-c", "x"]}),
    (["CMD echo hello"], {"Cmd": ["/bin/sh", "-c", "echo hello"]}),
    (["cmd echo 'a  b'"], {"Cmd": ["/bin/sh", "-c", "echo 'a  b'"]}),
    (["CMD [not json]"], {"Cmd": ["/bin/sh", "-c", "[not json]"]}),
    (['ENTRYPOINT ["/init"]', 'CMD ["a"]'], {"Entrypoint": ["/init"], "Cmd": ["a"]}),
    (["ENV A=1 B=2"], {"Env": ["A=1", "B=2"]}),
    (["ENV A 1 and more"], {"Env": ["A=1 and more"]}),
    (["ENV A=1", "ENV A=2"], {"Env": ["A=2"]}),
    (["""ENV A="x y" B='z"' C=a\\ b"""], {"Env": ["A=x y", 'B=z"', "C=a b"]}),
    (["ENV A=1", "ENV B=$A-${A}-${C:-none}-${A:+some}"], {"Env": ["A=1", "B=1-1-none-some"]}),
    (["ENV A=1", "ENV B='$A'"], {"Env": ["A=1", "B=$A"]}),
    (["ENV A="], {"Env": ["A="]}),
    (["LABEL a=b c=\"d e\"", "LABEL a=x"], {"Labels": {"a": "x", "c": "d e"}}),
    (["EXPOSE 80"], {"ExposedPorts": {"80/tcp": {}}}),
    (["EXPOSE 53/UDP 80-82/tcp"],
     {"ExposedPorts": {"53/udp": {}, "80/tcp": {}, "81/tcp": {}, "82/tcp": {}}}),
    (["VOLUME /a /b"], {"Volumes": {"/a": {}, "/b": {}}}),
    (['VOLUME ["/a b"]'], {"Volumes": {"/a b": {}}}),
    (["USER 1000:1000"], {"User": "1000:1000"}),
    (["WORKDIR /a", "WORKDIR b", "WORKDIR ../c"], {"WorkingDir": "/a/c"}),
    (["STOPSIGNAL SIGTERM"], {"StopSignal": "SIGTERM"}),
    (["ONBUILD RUN make", "ONBUILD COPY . /"], {"OnBuild": ["RUN make", "COPY . /"]}),
    (["HEALTHCHECK NONE"], {"Healthcheck": {"Test": ["NONE"]}}),
    (["HEALTHCHECK --interval=5s --timeout=1m30s --retries=3 CMD curl -f x"],
     {"Healthcheck": {"Test": ["CMD-SHELL", "curl -f x"], "Interval": 5_000_000_000,
                      "Timeout": 90_000_000_000, "Retries": 3}}),
    (['HEALTHCHECK CMD ["true"]'], {"Healthcheck": {"Test": ["CMD", "true"]}}),
    (["# a comment", "", "USER x"], {"User": "x"}),
    (["ENV A=1 \\\n B=2"], {"Env": ["A=1", "B=2"]}),
    (["ENV A=1 \\\n# a comment\n B=2"], {"Env": ["A=1", "B=2"]}),
    (["ENV A=1\\"], {"Env": ["A=1"]}),
    (["# escape=`", "ENV A=1`\n B=2"], {"Env": ["A=1", "B=2"]}),
    (["# escape=`\nENV A=b` c"], {"Env": ["A=b c"]}),
    (["ENV A=1", "# escape=`", "ENV B=`2"], {"Env": ["A=1", "B=`2"]}),
    (["# syntax=other/frontend", "USER x"], {"User": "x"}),
    (["USER a\nENV A=1"], {"User": "a", "Env": ["A=1"]}),
    (["LABEL a=b\\nc"], {"Labels": {"a": "bnc"}}),
    (["ENV A='\\$x'"], {"Env": ["A=\\$x"]}),
    (["CMD"], {"Cmd": ["/bin/sh", "-c"]}),
    (["CMD []"], {"Cmd": []}),
    (['CMD [""]'], {"Cmd": [""]}),
    (['ENTRYPOINT [""]'], {"Entrypoint": [""]}),
    (["ENTRYPOINT"], {"Entrypoint": []}),
    (["ENTRYPOINT x"], {"Entrypoint": ["/bin/sh", "-c", "x"]}),
    (["EXPOSE 8080:80 127.0.0.1:80:90"], {"ExposedPorts": {"80/tcp": {}, "90/tcp": {}}}),
    (["EXPOSE $P"], {"ExposedPorts": {}}),
    (["STOPSIGNAL 9"], {"StopSignal": "9"}),
    (["ONBUILD run x"], {"OnBuild": ["run x"]}),
    ([], {}),
]  # fmt: skip

BAD = [
    ("FROM x", "FROM is not a valid change command"),
    ("RUN x", "RUN is not a valid change command"),
    ("copy a b", "copy is not a valid change command"),
    ("ENV", "ENV requires at least one argument"),
    ("ENV A", "ENV must have two arguments"),
    ("ENV A=1 B", "Syntax error - can't find = in \"B\". Must be of the form: name=value"),
    ("ENV =1", "ENV names can not be blank"),
    ('ENV A="x',
     'failed to process "\\"x": unexpected end of statement while looking for matching double-quote'),
    ("EXPOSE x", "invalid containerPort: x"),
    ("EXPOSE 80-79", "invalid containerPort: 80-79"),
    ("EXPOSE 70000", "invalid containerPort: 70000"),
    ("ONBUILD ONBUILD RUN x", "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"),
    ("ONBUILD FROM x", "FROM isn't allowed as an ONBUILD trigger"),
    ("HEALTHCHECK CMD", "Missing command after HEALTHCHECK CMD"),
    ("HEALTHCHECK RUN x", 'Unknown type "RUN" in HEALTHCHECK (try CMD)'),
    ("HEALTHCHECK --interval=x CMD y", 'time: invalid duration "x"'),
    ("HEALTHCHECK --interval=5 CMD x", 'time: missing unit in duration "5"'),
    ("HEALTHCHECK --interval=1ns CMD x", 'Interval "interval" cannot be less than 1ms'),
    ("HEALTHCHECK --retries=-1 CMD x", "--retries cannot be negative (-1)"),
    ("HEALTHCHECK --nope=1 CMD x", "unknown flag: --nope"),
    ("HEALTHCHECK NONE x", "HEALTHCHECK NONE takes no arguments"),
    ("CMD --flag x", "unknown flag: --flag"),
    ('CMD ["a", 1]', "when using JSON array syntax, arrays must be comprised of strings only"),
    ("STOPSIGNAL nope", "invalid signal: nope"),
    ("STOPSIGNAL", "STOPSIGNAL requires exactly one argument"),
    ("EXPOSE", "EXPOSE requires at least one argument"),
    ("EXPOSE 80/foo", "invalid proto: foo"),
    ("VOLUME []", "VOLUME requires at least one argument"),
    ("WORKDIR $NOTHING", "cannot normalize nothing"),
    ("ENV A=${A:?no}", 'failed to process "${A:?no}": A: no'),
    ("# escape=x\nUSER x", "invalid escape token 'x' does not match ` or \\"),
    ("", "file with no instructions"),
    ("# a comment", "file with no instructions"),
    ("USER \udcff", "the instruction is not valid UTF-8"),
    ("USER \ud800", "the instruction is not valid UTF-8"),
    ('VOLUME [""]', "VOLUME specified can not be an empty string"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "process"), CASES)
def test_changes_become_the_config(changes: list[str], process: dict[str, object]) -> None:
    assert apply_changes(changes) == process


@pytest.mark.parametrize(("line", "message"), BAD)
def test_a_bad_change_is_one_clear_line(line: str, message: str) -> None:
    with pytest.raises(BadInstruction) as refused:
        apply_changes([line])
    assert str(refused.value) == message


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_line_is_read_or_refused(name: str, rest: str) -> None:
    for instruction in (name, "ENV", "LABEL", "EXPOSE", "VOLUME", "HEALTHCHECK", "WORKDIR"):
        try:
            apply_changes([f"{instruction} {rest}"])
        except BadInstruction:
            pass


def test_the_words_of_a_container_are_changed_in_a_copy() -> None:
    before: Mapping[str, object] = {
        "Env": ["A=1"], "Cmd": ["x"], "Labels": None, "ExposedPorts": {"1/tcp": {}}, "ArgsEscaped": True,
        "Shell": ["/bin/bash", "-c"],
    }  # fmt: skip
    found = apply_changes(["ENV B=$A", "LABEL l=$B", "EXPOSE 2", "CMD y"], before)
    assert found == {
        "Env": ["A=1", "B=1"], "Cmd": ["/bin/bash", "-c", "y"], "Labels": {"l": "1"},
        "ExposedPorts": {"1/tcp": {}, "2/tcp": {}}, "Shell": ["/bin/bash", "-c"],
    }  # fmt: skip
    assert (before["Env"], before["ExposedPorts"]) == (["A=1"], {"1/tcp": {}})
