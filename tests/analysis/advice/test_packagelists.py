"""Lists of packages that somebody needs whom nobody can tell to fetch them."""

from __future__ import annotations

import pytest
from tests.analysis.advice.made import Made, step, waste

from millefeuille.analysis.advice.caches import caches
from millefeuille.analysis.advice.packagelists import LISTS
from millefeuille.analysis.advice.rewrite import rewrite
from millefeuille.analysis.advice.step import read_step
from millefeuille.testing.rawtars import directory, file

FETCHED = file(b"var/lib/apt/lists/a_Packages", b"x" * 20000)
UPDATE = step("RUN apt-get update", FETCHED)
STATUS = (directory(b"var/lib/dpkg"), file(b"var/lib/dpkg/status", b"s"), file(b"usr/bin/o", b"o"))
GONE = file(b"var/lib/apt/lists/.wh.a_Packages")
APK = step("RUN apk update", file(b"var/cache/apk/APKINDEX.a.tar.gz", b"x" * 20000))


def is_mounted(*steps: Made) -> bool:
    """Whether advice mounts the lists."""
    made = waste(*(steps if steps[0][0].startswith("FROM") else (("FROM a", ()), *steps)))
    return any(advice.edits for advice in caches(made))


@pytest.mark.parametrize(("command", "is_found"), [
    ("apt-get install -y a", True),
    ('["apt-get", "install", "-y", "a"]', False),  # in front of which nothing can be put
    ('["/bin/bash", "-c", "apt-get install -y a"]', False),
    ('sh -c "apt-get install -y a"', True),
    ("apt-get -o A::B=3 install -y a", True),
    ("echo a | xargs apt-get install -y", True),
    ("aptitude install -y a", True),
    ("sh /tmp/install.sh", False),
    ("./install", False),
    ("make deps", False),
    ("--mount=type=cache,target=/var/lib/apt/lists ./install", True),
    ("apt-get purge -y a && rm -r /opt/a", True),
    ("apt-get purge -y a && make deps", False),
    ("dpkg -i /tmp/a.deb", True),
    ("apt-get update && ./install", True),
])  # fmt: skip
def test_who_installs_with_them(command: str, is_found: bool) -> None:
    assert is_mounted(UPDATE, step(f"RUN {command}", *STATUS)) is is_found


@pytest.mark.parametrize(("between", "entries", "is_found"), [
    ((), (), False),
    ((step("RUN rm /var/lib/apt/lists/*", GONE),), (), True),  # so the script fetches them
    ((), (file(b"var/lib/apt/lists/b_Packages", b"b"),), True),
])  # fmt: skip
def test_a_script_that_fetches_them_itself(
    between: tuple[Made, ...], entries: tuple[bytes, ...], is_found: bool
) -> None:
    assert is_mounted(UPDATE, *between, step("RUN ./install", *entries, *STATUS)) is is_found
    assert is_mounted(UPDATE, *between, step("RUN ./build", file(b"o", b"o")))


@pytest.mark.parametrize(("line", "is_found"), [
    ("RUN apt-get install -y gcc", False),
    ("RUN apt-get update && apt-get install -y gcc", True),
    ("RUN ./install.sh", False),
    ("RUN bash scripts/deps.sh --all", False),
    ("RUN --mount=type=cache,target=/var/lib/apt/lists ./install.sh", True),
    ("RUN make", True),
])  # fmt: skip
def test_a_stage_beside_the_image(line: str, is_found: bool) -> None:
    first, last = ("FROM a AS base", ()), ("FROM base", ())
    rest = ((line, ()), last, step("COPY --from=builder /o /o", file(b"o", b"o")))
    assert is_mounted(first, UPDATE, ("FROM --platform=$P Base AS builder", ()), *rest) is is_found
    assert is_mounted(first, UPDATE, ("FROM a AS builder", ()), *rest)


@pytest.mark.parametrize(("line", "is_found"), [
    ("ONBUILD RUN apt-get install -y $PACKAGES", False),
    ('CMD ["apt-get", "install", "a"]', False),
    ('CMD ["sh", "-c", "apt-get update && apt-get install a"]', True),
])  # fmt: skip
def test_what_stands_on_the_image(line: str, is_found: bool) -> None:
    assert is_mounted(UPDATE, (line, ())) is is_found


@pytest.mark.parametrize(("command", "is_found"), [
    ("apk add a", True), ('["apk", "add", "a"]', False), ("./install", False), ("apk del a", True),
])  # fmt: skip
def test_lists_of_alpine(command: str, is_found: bool) -> None:
    assert is_mounted(APK, step(f"RUN {command}", file(b"lib/apk/db/installed", b"i"))) is is_found


def test_a_here_document() -> None:
    made = waste(("FROM a", ()), UPDATE, step("RUN x", *STATUS))
    made.script = [*made.script[:2], read_step("RUN <<EOF", layer=1, fixed=True, script="apt-get install a")]
    assert not any(advice.edits for advice in caches(made))


def test_many_options_are_read_at_once() -> None:
    text = "RUN apt-get " + "-q x " * 40 + "instal"
    assert not LISTS["var/lib/apt/lists"].is_needed(read_step(text))


def test_the_rewritten_step() -> None:
    made = waste(("FROM a", ()), UPDATE, step('RUN sh -c "apt-get install -y a"', *STATUS))
    edits = [edit for advice in caches(made) for edit in advice.edits]
    flag = "--mount=type=cache,target=/var/lib/apt/lists,sharing=locked"
    assert rewrite(made.script, edits).text.splitlines()[1:] == [
        f'RUN {flag} apt-get update && sh -c "apt-get install -y a"'
    ]
