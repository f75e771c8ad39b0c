"""What flags of a COPY say in place of a chown or chmod."""

from __future__ import annotations

import pytest
from tests.analysis.advice.made import Made, step, waste

from millefeuille.analysis.advice.attributes import attributes
from millefeuille.analysis.advice.caches import caches
from millefeuille.analysis.advice.ignores import ignores
from millefeuille.analysis.advice.rewrite import rewrite
from millefeuille.testing.rawtars import directory, file, hardlink

BASE = step("RUN base", directory(b"d"), directory(b"d/s"))
COPY = step("COPY a /d/a", directory(b"d"), file(b"d/a", b"x"))
FLAG = "COPY --chmod=600 a /d/a"


def rewritten(*steps: Made) -> list[str]:
    """The steps behind the base with the advice followed; none for no advice."""
    made = waste(("FROM a", ()), BASE, *steps)
    edits = [edit for advice in attributes(made) for edit in advice.edits]
    return rewrite(made.script, edits).text.splitlines()[2:] if edits else []


def changed(text: str, **fields: object) -> Made:
    """A RUN that changes the file, and perhaps the directory, which was there before the COPY."""
    return step(f"RUN {text}", directory(b"d", **fields), file(b"d/a", b"x", mode=0o600))


@pytest.mark.parametrize(("text", "fields", "left"), [
    ("chmod 600 /d/a", {}, []),
    ("chmod 600 /d/a && chown 5 /d", {"uid": 5}, ["RUN chown 5 /d"]),  # which is not the flag's
    ("chmod 600 /d /d/a", {"mode": 0o600}, ["RUN chmod 600 /d"]),
    ("chmod -R 600 /d", {"mode": 0o600}, ["RUN chmod 600 /d"]),
    ("chmod -R 600 /d && chmod 700 /d", {"mode": 0o700}, ["RUN chmod 600 /d && chmod 700 /d"]),
])  # fmt: skip
def test_directories_that_were_there(text: str, fields: dict[str, int], left: list[str]) -> None:
    assert rewritten(COPY, changed(text, **fields)) == [FLAG, *left]


def test_directories_that_only_a_shell_could_name() -> None:
    assert rewritten(COPY, changed("chmod 600 /d/* && chown 5 /d", uid=5)) == []


def test_another_change_of_a_directory_between_two() -> None:
    run = step(
        "RUN chown -R 5:5 /d && chmod 700 /d && chmod -R 600 /d",
        directory(b"d", uid=5, gid=5, mode=0o600), file(b"d/a", b"x", uid=5, gid=5, mode=0o600),
    )  # fmt: skip
    assert rewritten(COPY, run) == []


@pytest.mark.parametrize("before", [
    step("RUN cp /d/a /b", file(b"b", b"x")),
    step("RUN ln /d/a /b", file(b"d/a", b"x"), hardlink(b"b", b"d/a")),
    step("RUN tar -cf /t /d", file(b"t", b"tar")),
    step("RUN find /d -perm 644 > /l", file(b"l", b"/d/a")),
    step("RUN su nobody -c make"),
])  # fmt: skip
def test_what_was_seen_before_the_change(before: Made) -> None:
    assert rewritten(COPY, before, changed("chmod 600 /d/a")) == []
    line, entries = before
    both = (f"{line} && chmod 600 /d/a", (*entries, file(b"d/a", b"x", mode=0o600)))
    assert rewritten(COPY, both) == []


def test_others_than_root_may_not_read_what_they_could() -> None:
    user, run = ("USER 5", ()), step("RUN head -c 1 /d/a > /b", file(b"b", b"y"))
    assert rewritten(COPY, user, run, ("USER 0", ()), changed("chmod 600 /d/a")) == []
    assert rewritten(COPY, run, changed("chmod 600 /d/a")) == [FLAG, run[0]]


@pytest.mark.parametrize(("before", "left"), [
    ((), ["RUN chown 5:6 /d"]),
    ((step("RUN mkdir /d/.cache", directory(b"d/.cache")),), ["RUN chown 5:6 /d /d/.cache"]),
])  # fmt: skip
def test_a_directory_that_is_left_out_of_the_context(before: tuple[Made, ...], left: list[str]) -> None:
    junk = file(b"d/.cache/j", b"j")
    copies = [
        step("COPY d /d", directory(b"d"), directory(b"d/.cache"), junk),
        step("COPY . /", directory(b"d"), directory(b"d/.cache"), junk, file(b"d/a", b"x")),
    ]  # fmt: skip
    run = step(
        "RUN chown -R 5:6 /d", directory(b"d", uid=5, gid=6), directory(b"d/.cache", uid=5, gid=6),
        file(b"d/.cache/j", b"j", uid=5, gid=6), file(b"d/a", b"x", uid=5, gid=6),
    )  # fmt: skip
    made = waste(("FROM a", ()), BASE, *before, *copies, run)
    edits = [edit for rule in (ignores, attributes) for advice in rule(made) for edit in advice.edits]
    rows = rewrite(made.script, edits).text.splitlines()[2 + len(before) :]
    assert rows == ["COPY d /d", "COPY --chown=5:6 . /", *left]


def test_a_directory_that_is_in_a_cache_mount() -> None:
    cached = (directory(b"d/.npm"), file(b"d/.npm/c", b"c"))
    owned = {"uid": 5, "gid": 6}
    run = step(
        "RUN chown -R 5:6 /d", directory(b"d", **owned), directory(b"d/.npm", **owned),
        file(b"d/.npm/c", b"c", **owned), file(b"d/a", b"x", **owned),
    )  # fmt: skip
    made = waste(("FROM a", ()), BASE, step("RUN npm ci", directory(b"d"), *cached), COPY, run)
    assert any(advice.edits for advice in caches(made))
    assert not list(attributes(made))


OWNED = {"uid": 5, "gid": 5}


@pytest.mark.parametrize(("copied", "text", "mode", "found"), [
    # Another owner takes such bits away.
    (0o644, "chmod 4755 /d/a && chown 5:5 /d/a", 0o755, ["COPY --chmod=0755 --chown=5:5 a /d/a"]),
    (0o644, "chmod u+xs /d/a && chown 5:5 /d/a", 0o755, ["COPY --chmod=0755 --chown=5:5 a /d/a"]),
    (0o644, "chown 5:5 /d/a && chmod 4755 /d/a", 0o4755, ["COPY --chmod=4755 --chown=5:5 a /d/a"]),
    (0o644, "chmod 0755 /d/a && chown 5:5 /d/a", 0o755, ["COPY --chmod=0755 --chown=5:5 a /d/a"]),
    (0o755, "chmod 4755 /d/a && chown 5:5 /d/a", 0o755, ["COPY --chmod=0755 --chown=5:5 a /d/a"]),
    (0o755, "chmod ug+s /d/a && chown 5:5 /d/a", 0o755, ["COPY --chmod=0755 --chown=5:5 a /d/a"]),
    (0o4755, "chown 5:5 /d/a", 0o755, []),
])  # fmt: skip
def test_bits_that_another_owner_takes_away(copied: int, text: str, mode: int, found: list[str]) -> None:
    copy = step("COPY a /d/a", directory(b"d"), file(b"d/a", b"x", mode=copied))
    run = step(f"RUN {text}", directory(b"d"), file(b"d/a", b"x", mode=mode, **OWNED))
    assert rewritten(copy, run) == found
