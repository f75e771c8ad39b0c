"""All advice on an image."""

from __future__ import annotations

import pytest
from tests.analysis.advice.made import Made, step, waste

from millefeuille.analysis.advice.advice import Advice
from millefeuille.analysis.advice.advise import advise
from millefeuille.analysis.advice.composing import composed
from millefeuille.analysis.advice.edits import AddFlag, DropCommands, Edit, Insert, Recast, Remove
from millefeuille.analysis.advice.rewrite import rewrite
from millefeuille.analysis.advice.step import read_step
from millefeuille.testing.rawtars import directory, file

COPY = step("COPY a /d", file(b"d", b"x" * 20000))
OWNED = step("RUN chown 5:6 /d", file(b"d", b"x" * 20000, uid=5, gid=6))
MOVED = step("RUN mv /d /e", file(b".wh.d"), file(b"e", b"x" * 20000))
REMOVED = step("RUN cat /d && rm /d", file(b".wh.d"))
APT = [directory(path) for path in (b"var", b"var/lib", b"var/lib/apt", b"var/lib/apt/lists")]
FETCHED = file(b"var/lib/apt/lists/a", b"x" * 20000)
LISTS = step("RUN apt-get update && apt-get install -y x", *APT, FETCHED)
AGAIN = step("RUN apt-get install -y y", file(b"y", b"y"))


@pytest.mark.parametrize("steps", [(COPY, OWNED), (COPY, MOVED), (COPY, REMOVED), (LISTS, AGAIN)])
@pytest.mark.parametrize(("shell", "is_found"), [
    ('["/bin/bash", "-c"]', True), ('["/usr/bin/python3", "-c"]', False), ('["pwsh", "-Command"]', False),
])  # fmt: skip
def test_commands_are_those_of_a_shell_that_is_known(
    steps: tuple[Made, ...], shell: str, is_found: bool
) -> None:
    made = waste(("FROM a", ()), ("WORKDIR /", ()), (f"SHELL {shell}", ()), *steps)
    found = advise(made.image, made.account, made.script)
    edits = [edit for advice in found for edit in advice.edits if not isinstance(edit, AddFlag)]
    assert bool(edits) is is_found


OTHER = step("COPY x /x", file(b"x", b"x"))
TREE = step("COPY . /s", directory(b"s"), file(b"s/big", b"x" * 20000), file(b"s/venv", b"v" * 20000))
EXCLUDED = "--exclude=venv"


@pytest.mark.parametrize("rest", [
    # What is left of the RUN changes a file, or removes all that there still is.
    (step("RUN rm /s/venv && echo >> /s/big", file(b"s/.wh.venv"), file(b"s/big", b"x" * 20000 + b"y")),),
    (step("RUN rm /s/venv", file(b"s/.wh.venv")), step("RUN cat /s/big && rm -r /s", file(b".wh.s"))),
])  # fmt: skip
def test_what_is_left_out_of_a_copy_stays_out(rest: tuple[Made, ...]) -> None:
    made = waste(("FROM a", ()), ("WORKDIR /", ()), OTHER, TREE, *rest)
    edits: list[Edit] = [
        edit for advice in advise(made.image, made.account, made.script) for edit in advice.edits
    ]
    assert AddFlag(3, EXCLUDED) in edits
    assert not any(isinstance(edit, (Recast, Remove)) and edit.step == 3 for edit in edits)


def test_a_small_saving_does_not_stand_in_the_way_of_a_large_one() -> None:
    sources = [file(b"app/Gemfile", b"gem"), file(b"app/a", b"x" * 20000, mode=0o644)]
    shared = [file(b"app/Gemfile", b"gem", mode=0o664), file(b"app/a", b"x" * 20000, mode=0o664)]
    made = waste(
        ("FROM a", ()), ("WORKDIR /", ()), step("COPY Gemfile /app/", sources[0]),
        step("RUN bundle install", file(b"gems", b"g")), step("COPY . /app", directory(b"app"), *sources),
        step("RUN chmod -R g+w /app", *shared),
    )  # fmt: skip
    found = [(advice.kind, advice.size) for advice in advise(made.image, made.account, made.script)]
    assert ("copy-attributes", 20003) in found
    (twice,) = [one for one in advise(made.image, made.account, made.script) if one.kind == "duplicate-copy"]
    assert not twice.edits
    alone = waste(*zip((one.text for one in made.script[:-1]), [(), (), (sources[0],),
                  (file(b"gems", b"g"),), (directory(b"app"), *sources)], strict=True))  # fmt: skip
    (twice,) = [one for one in advise(alone.image, alone.account, alone.script) if one.size]
    assert twice.edits


def test_a_cache_is_not_mounted_where_more_is_saved_without() -> None:
    made = waste(
        ("FROM a", ()), ("WORKDIR /", ()),
        step("RUN npm ci", file(b"root/.npm/a", b"x" * 90), file(b"tmp/a", b"x" * 20000)),
        step("RUN rm -r /root/.npm /tmp/a", file(b"root/.wh..npm"), file(b"tmp/.wh.a")),
    )  # fmt: skip
    (found,) = advise(made.image, made.account, made.script)
    assert (found.kind, found.size, bool(found.edits)) == ("merge-runs", 20090, True)


SOURCES = (directory(b"src"), file(b"src/.git/p", b"p" * 20000))


def test_what_a_person_is_to_do_stands_in_the_way_of_nothing() -> None:
    made = waste(
        ("FROM a", ()), ("WORKDIR /", ()),
        step("COPY . /src", *SOURCES, file(b"src/a", b"a" * 20000)),
        step("RUN pip install /src", file(b"site", b"s")), step("RUN rm -rf /src", file(b".wh.src")),
    )  # fmt: skip
    found = {advice.kind: advice for advice in advise(made.image, made.account, made.script)}
    assert found["bind-mount"].size == 40000
    assert found["bind-mount"].edits
    assert "dockerignore" not in found


def test_what_only_a_person_can_do_is_told_behind_the_rest() -> None:
    made = waste(
        ("FROM a", ()), ("WORKDIR /", ()), step("COPY . /src", *SOURCES),
        step("RUN git describe", file(b"version", b"s")), step("RUN echo 1 > /a", file(b"a", b"1")),
        step("RUN echo 2 > /a", file(b"a", b"2")),
    )  # fmt: skip
    found = advise(made.image, made.account, made.script)
    assert [(advice.kind, advice.size, bool(advice.edits)) for advice in found if advice.size] == [
        ("merge-runs", 1, True), ("dockerignore", 20000, False)
    ]  # fmt: skip


def test_two_caches_that_one_command_empties() -> None:
    made = waste(
        ("FROM a", ()), ("WORKDIR /", ()),
        step("RUN npm ci", directory(b"root/.npm"), file(b"root/.npm/a", b"x")),
        step("RUN pip install x", directory(b"root/.cache"), file(b"root/.cache/pip/a", b"x")),
        step(
            "RUN npm -v && pip -V && rm -rf /root/.npm/* /root/.cache/pip/*", file(b"root/.npm/.wh.a"),
            file(b"root/.cache/pip/.wh.a"),
        ),
    )  # fmt: skip
    edits = [edit for advice in advise(made.image, made.account, made.script) for edit in advice.edits]
    last = rewrite(made.script, edits).text.splitlines()[-1]
    assert last.startswith("RUN --mount=")
    assert last.endswith(",target=/root/.npm npm -v && pip -V")


def test_what_cannot_be_followed_behind_other_advice_has_no_patch() -> None:
    script = [read_step(line) for line in ("FROM a", "COPY a b", "RUN c && d", "RUN e")]
    edits: list[tuple[Edit, ...]] = [
        (Remove(1),), (Insert(1, "RUN f"),), (DropCommands(2, ("c",)),), (DropCommands(2, ("x",)),),
        (AddFlag(2, "--mount=x"),), (AddFlag(3, "--mount=x"),),
    ]  # fmt: skip
    advice = [
        Advice(kind="", text="", steps=(getattr(row[0], "step", -1),), edits=row) for row in edits
    ]  # fmt: skip
    found = [place for place, one in enumerate(composed(script, advice)) if one.edits]
    assert found == [0, 2, 5]
