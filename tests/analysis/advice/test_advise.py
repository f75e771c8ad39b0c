"""All advice on an image."""

from __future__ import annotations

import pytest
from tests.analysis.advice.made import Made, step, waste

from millefeuille.analysis.advice.advise import advise
from millefeuille.analysis.advice.edits import AddFlag, Edit, Recast, Remove
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
