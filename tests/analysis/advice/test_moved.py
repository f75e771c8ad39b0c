"""What is copied to one place and moved to another."""

from __future__ import annotations

import pytest
from tests.analysis.advice.made import Made, step, waste

from millefeuille.analysis.advice.moved import moved
from millefeuille.analysis.advice.rewrite import rewrite
from millefeuille.testing.rawtars import directory, file

THERE = step("RUN base", directory(b"tmp"), directory(b"opt"))
MORE = step("COPY more /tmp/t/", file(b"tmp/t/m", b"m"))


@pytest.mark.parametrize(("copy", "path", "is_file", "is_found"), [
    ("COPY tool /tmp/t", b"tmp/t", False, True),
    ("COPY tool /tmp/t", b"tmp/t", True, True),
    ("COPY a/t /tmp/", b"tmp/t", True, True),
    ("ADD https://x.org/t /tmp/", b"tmp/t", True, True),
    ("COPY tool /tmp/", b"tmp/t", False, False),  # a directory in what is copied
    ("COPY t /tmp/", b"tmp/t", False, False),
    ("COPY tool /tmp/", b"tmp/t", True, False),
    ("ADD tool.tar.gz /tmp/", b"tmp/t", False, False),
    ("ADD t.tar.gz /tmp/t", b"tmp/t", False, True),
])  # fmt: skip
def test_what_is_copied_is_what_is_moved(copy: str, path: bytes, is_file: bool, is_found: bool) -> None:
    end = b"" if is_file else b"/a"
    run = step("RUN mv /tmp/t /opt/u", file(b"tmp/.wh.t"), file(b"opt/u" + end, b"a"))
    made = waste(("FROM a", ()), ("WORKDIR /", ()), THERE, step(copy, file(path + end, b"a")), run)
    edits = [edit for advice in moved(made) for edit in advice.edits]
    assert bool(edits) is is_found
    if is_found:
        source = copy.split()[1]
        assert rewrite(made.script, edits).text.splitlines()[3:] == [f"{copy.split()[0]} {source} /opt/u"]


@pytest.mark.parametrize("steps", [
    (MORE, step("COPY tool /tmp/t", file(b"tmp/t/a", b"a"))),
    (step("COPY tool /tmp/t", file(b"tmp/t/a", b"a")), MORE),
])  # fmt: skip
def test_what_goes_along(steps: tuple[Made, ...]) -> None:
    entries = file(b"tmp/.wh.t"), file(b"opt/u/a", b"a"), file(b"opt/u/m", b"m")
    made = waste(("FROM a", ()), ("WORKDIR /", ()), THERE, *steps, step("RUN mv /tmp/t /opt/u", *entries))
    assert list(moved(made)) == []
