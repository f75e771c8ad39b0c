"""What a RUN copies itself, since it changes it."""

from __future__ import annotations

import pytest
from tests.analysis.advice.made import step, waste

from millefeuille.analysis.advice.inlined import inlined
from millefeuille.testing.rawtars import file

COPY = step("COPY a /d", file(b"d", b"x" * 20000))


@pytest.mark.parametrize(("text", "is_found"), [
    ("echo y >> /d", True),
    ("ls /d && echo y >> /d", True),
    ("ls -l /d > /o; echo y >> /d", False),  # times are new then
    ("tar -cf /o /d; echo y >> /d", False),
    ("tar -C / -cf /o d; echo y >> /d", False),
    ("tar -xf /o && rm -rf /o; echo y >> /d", True),
    ("find / -newer /x; echo y >> /d", False),
    ("ls /mnt > /o; echo y >> /d", False),  # where it is mounted
])  # fmt: skip
def test_what_tells_that_it_was_copied_otherwise(text: str, is_found: bool) -> None:
    run = step(f"RUN {text}", file(b"d", b"x" * 20000 + b"y"))
    made = waste(("FROM a", ()), ("WORKDIR /", ()), COPY, run)
    (advice,) = inlined(made)
    assert bool(advice.edits) is is_found
