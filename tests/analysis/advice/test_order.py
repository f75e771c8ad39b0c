"""Sources, and arguments, that are better behind what does not read them."""

from __future__ import annotations

import pytest
from tests.analysis.advice.made import Made, step, waste

from millefeuille.analysis.advice.arguments import arguments
from millefeuille.analysis.advice.edits import AddFlag, DropCommands, Edit, Ignore, Join, Prefix, Retarget
from millefeuille.analysis.advice.order import order
from millefeuille.analysis.advice.rewrite import rewrite
from millefeuille.analysis.advice.waste import unread
from millefeuille.testing.rawtars import file
from millefeuille.values import replace

SOURCES = step("COPY src /src", file(b"src/a", b"a"), file(b"src/b", b"b"))


@pytest.mark.parametrize(("entry", "found"), [
    (file(b"installed", b"123"), [3]), (file(b".wh.old"), []), (file(b"empty"), []),
])  # fmt: skip
def test_an_order_is_worth_what_is_made_again(entry: bytes, found: list[int]) -> None:
    made = waste(("FROM a", ()), SOURCES, step("RUN rm -f /old", entry))
    assert [advice.rebuilt for advice in order(made)] == found
    made = waste(("FROM a", ()), ("ARG COMMIT", ()), step("RUN make", entry))
    assert [advice.rebuilt for advice in arguments(made)] == found


def rewritten(*steps: Made) -> list[str]:
    """The steps behind the base with the advice on the order followed; none for no advice."""
    made = waste(("FROM a", ()), *steps)
    edits = [edit for advice in (*order(made), *arguments(made)) for edit in advice.edits]
    return rewrite(made.script, edits).text.splitlines()[1:] if edits else []


INSTALLED = file(b"installed", b"x")
APP = (("WORKDIR /", ()), step("COPY src /", file(b"package.json", b"a"), file(b"b", b"b")))
MORE = step("RUN npm ci && make", INSTALLED)


@pytest.mark.parametrize(("copy", "setting", "is_found"), [
    ("COPY src /src", "ENV A=/two", True),
    ("COPY src $A/src", "ENV B=/two", True),
    ("COPY src $A/src", "ENV A=/two", False),
    ("COPY --chown=$B src $A/src", "ARG B=5", False),
])  # fmt: skip
def test_a_copy_keeps_its_variables(copy: str, setting: str, is_found: bool) -> None:
    steps = (("ENV A=", ()), (copy, SOURCES[1]), (setting, ()), step("RUN apk add a", INSTALLED))
    assert bool(rewritten(*steps)) is is_found


@pytest.mark.parametrize(("between", "is_found"), [
    ((), True),
    ((("LABEL a=b", ()),), True),
    ((("ENV NODE_ENV=production", ()),), False),
    ((step("COPY other /o", file(b"o", b"o")),), False),
])  # fmt: skip
def test_a_part_of_a_run_meets_what_it_met(between: tuple[Made, ...], is_found: bool) -> None:
    assert bool(rewritten(*APP, *between, MORE)) is is_found


@pytest.mark.parametrize(("text", "is_found"), [
    ("make", True), ("env -i make", True), ("echo $COMMIT", False), ("printenv COMMIT", False),
    ("env > /e", False), ("env | sort", False), ("set | sort", False),
])  # fmt: skip
def test_what_tells_of_an_argument_stays_behind_it(text: str, is_found: bool) -> None:
    assert bool(rewritten(("ARG COMMIT", ()), step(f"RUN {text}", INSTALLED))) is is_found


def test_both_parts_of_a_run_have_the_options_of_the_shell() -> None:
    found = rewritten(*APP, step("RUN set -eux; npm ci; make; make install", INSTALLED))
    assert "RUN set -eux && npm ci" in found
    assert found[-1] == "RUN set -eux; make; make install"


@pytest.mark.parametrize(("own", "given", "lines"), [
    ("", [], ["COPY req /s/req", "RUN pip install -r /s/req/a.txt", "COPY . /s"]),
    ("", ["--exclude=b"], ["COPY req /s/req", "RUN pip install -r /s/req/a.txt", "COPY . /s"]),
    ("", ["--exclude=req/b"], []),
    ("", ["--exclude=req"], []),
    ("--exclude=**/*.c ", [], []),
])  # fmt: skip
def test_what_a_copy_leaves_out_does_not_come_with_a_part(
    own: str, given: list[str], lines: list[str]
) -> None:
    copy = step(f"COPY {own}. /s", file(b"s/req/a.txt", b"a"), file(b"s/main", b"m"))
    made = waste(("FROM a", ()), ("WORKDIR /", ()), copy, step("RUN pip install -r /s/req/a.txt", INSTALLED))
    made.flags[2] = given
    (advice,) = order(made)
    found = rewrite(made.script, advice.edits).text.splitlines()[2:] if advice.edits else []
    assert found == lines


@pytest.mark.parametrize(("row", "is_found"), [((3, 4), True), ((4, 5), False), ((2, 3), False)])
def test_a_copy_does_not_go_behind_what_another_run_was_made_a_part_of(
    row: tuple[int, ...], is_found: bool
) -> None:
    runs = [step(f"RUN apk add {name}", file(name.encode(), b"x")) for name in ("a", "b")]
    made = waste(("FROM a", ()), SOURCES, ("WORKDIR /src", ()), *runs, step("RUN cat a", INSTALLED))
    made.joined.append(row)
    (advice,) = order(made)
    assert bool(advice.edits) is is_found
    (other,) = arguments(waste(("FROM a", ()), ("ARG COMMIT", ()), ("LABEL a=b", ()), *runs))
    assert other.edits
    tied = waste(("FROM a", ()), ("ARG COMMIT", ()), ("LABEL a=b", ()), *runs)
    tied.joined.append((4, 5))
    assert not any(advice.edits for advice in arguments(tied))


def test_what_other_advice_leaves_out_shows_no_order() -> None:
    files = [file(f"src/{name}".encode(), b"x") for name in (".git/a", "b/c", "d", "e")]
    made = waste(("FROM a", ()), step("COPY . /src", *files), step("RUN apk add a", INSTALLED))
    made.give([Ignore("**/.git"), Ignore("b"), AddFlag(1, "--exclude=d")])
    (advice,) = order(made)
    assert advice.trigger is not None
    assert advice.trigger.name == "e"


CACHE, BIND = "--mount=type=cache,target=/root/.npm", "--mount=type=bind,source=x,target=/x,rw"


@pytest.mark.parametrize(("edits", "found"), [
    ([], ["RUN npm ci && npm cache clean --force", "RUN make"]),
    ([AddFlag(3, CACHE), DropCommands(3, ("npm cache clean --force",))],
     [f"RUN {CACHE} npm ci", f"RUN {CACHE} make"]),
    ([AddFlag(3, BIND)], None),
    ([Prefix(3, "apt-get update")], None),
    ([DropCommands(3, ("make",), "true")], None),
])  # fmt: skip
def test_a_part_of_a_run_has_what_other_advice_gives_it(edits: list[Edit], found: list[str] | None) -> None:
    run = step("RUN npm ci && npm cache clean --force && make", INSTALLED)
    made = waste(("FROM a", ()), *APP, run)
    made.give(edits)
    (advice,) = order(made)
    lines = rewrite(made.script, [*edits, *advice.edits]).text.splitlines()
    assert ([line for line in lines if line[:3] == "RUN"] if advice.edits else None) == found


EMPTIED = DropCommands(3, ("chown 5 b",))


@pytest.mark.parametrize(("edits", "is_found"), [
    ([], False),
    ([EMPTIED], True),
    ([EMPTIED, DropCommands(3, ("chown 5 b",), "rm other")], False),
    ([EMPTIED, Prefix(3, "apt-get update")], False),
    ([EMPTIED, Retarget(1, "x /y")], False),
    ([EMPTIED, Join((3, 4))], False),
])  # fmt: skip
def test_a_run_that_other_advice_empties_is_nothing_to_pass(edits: list[Edit], is_found: bool) -> None:
    run = step("RUN chown 5 b", file(b"b", b"b", uid=5))
    made = waste(("FROM a", ()), *APP, run, step("RUN npm ci", INSTALLED))
    made.give(edits)
    found = [advice for advice in order(made) if advice.edits]
    assert bool(found) is is_found
    if found:
        lines = rewrite(made.script, [*edits, *found[0].edits]).text.splitlines()[2:]
        assert lines == ["COPY src/package.json /", "RUN npm ci", "COPY src /"]


def test_a_copy_that_other_advice_retargets_stays() -> None:
    made = waste(("FROM a", ()), SOURCES, step("RUN apk add a", INSTALLED))
    assert list(order(made))
    made.give([Retarget(1, "src /other")])
    assert not list(order(made))


@pytest.mark.parametrize(("entry", "is_found"), [
    (file(b"b", b"b"), True),
    (file(b"b", b"c"), False),
    (file(b"b", b"b", uid=5), False),
    (file(b".wh.b"), False),
    (file(b"package.json", b"{}"), False),
])  # fmt: skip
def test_what_an_installation_writes_over_the_copy_does_not_bring_back(entry: bytes, is_found: bool) -> None:
    made = waste(("FROM a", ()), *APP, step("RUN npm ci", INSTALLED, entry))
    (advice,) = order(made)
    assert bool(advice.edits) is is_found
    made.give([Ignore("src/b"), Ignore("src/package.json")])
    (advice,) = order(made)
    assert advice.edits


def test_an_installation_that_may_read_more_is_a_persons_matter() -> None:
    manifest = file(b"package.json", b'{"scripts": {"postinstall": "node b"}}')
    steps = (("FROM a", ()), ("WORKDIR /", ()), step("COPY src /", manifest, file(b"b", b"b")))
    (advice,) = order(waste(*steps, step("RUN npm ci", INSTALLED)))
    assert not advice.edits
    assert advice.rebuilt
    unknown = replace(waste(("FROM a", ()), *APP, MORE), read=unread)
    assert not any(advice.edits for advice in order(unknown))


def test_files_of_requirements_bring_what_they_name() -> None:
    copy = step("COPY . /", file(b"dev.txt", b"-r a.txt\n"), file(b"a.txt", b"flask\n"), file(b"m.py", b"m"))
    found = rewritten(("WORKDIR /", ()), copy, step("RUN pip install -r dev.txt", INSTALLED))
    assert found[1] == "COPY dev.txt a.txt /"
