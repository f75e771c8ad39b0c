from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.transfer.archive.changes import apply_changes
from millefeuille.transfer.archive.words import BadInstruction, expand, split_words

# What `docker import -c ...` of Docker 20.10 puts into the image's config, and says of bad lines; but
# STOPSIGNAL, and the case of a command as it was typed, are those of Docker 28.
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
    ("EXPOSE x", "Invalid containerPort: x"),
    ("EXPOSE 80-79", "Invalid containerPort: 80-79"),
    ("EXPOSE 70000", "Invalid containerPort: 70000"),
    ("ONBUILD ONBUILD RUN x", "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"),
    ("ONBUILD FROM x", "FROM isn't allowed as an ONBUILD trigger"),
    ("HEALTHCHECK CMD", "Missing command after HEALTHCHECK CMD"),
    ("HEALTHCHECK RUN x", 'Unknown type "RUN" in HEALTHCHECK (try CMD)'),
    ("HEALTHCHECK --interval=x CMD y", 'time: invalid duration "x"'),
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


@given(st.lists(st.text(st.characters(blacklist_categories=["Cs"]), min_size=1), max_size=5))
def test_quoted_words_come_back(words: list[str]) -> None:
    escape = str.maketrans({character: f"\\{character}" for character in '"$\\'})
    line = " ".join(f'"{word.translate(escape)}"' for word in words)
    assert [expand(word, {}) for word in split_words(line)] == words
