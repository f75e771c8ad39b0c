"""What is left out of the context, and what the Dockerfile needs of it."""

from __future__ import annotations

import pytest
from tests.analysis.advice.made import Made, step, waste

from millefeuille.analysis.advice.edits import Ignore
from millefeuille.analysis.advice.ignores import ignores
from millefeuille.testing.rawtars import directory, file

BIG = b"x" * 20000
GIT = step("COPY . .", file(b"app/.git/HEAD", BIG), file(b"app/a", b"a"))
NODE = step("COPY . .", file(b"app/node_modules/a/a.js", BIG), file(b"app/server.js", b"a"))
CACHE = step("COPY . .", file(b"app/.cache/a", BIG))
VENV = step("COPY . .", file(b"app/venv/pyvenv.cfg", b"x"), file(b"app/venv/lib/a.py", BIG))
DOT_VENV = step("COPY . .", file(b"app/.venv/pyvenv.cfg", b"x"), file(b"app/.venv/lib/a.py", BIG))
OTHER = file(b"o", b"o")
MODULES = file(b"app/node_modules/a/b.js", b"b")
SITE = file(b"usr/lib/python3/site-packages/a.py", b"b")


def patterns(*steps: Made) -> list[str] | None:
    """The lines that `.dockerignore` is to have, none for advice without a patch; None for no advice."""
    found = list(ignores(waste(("FROM a", ()), ("WORKDIR /app", ()), *steps)))
    edits = [edit for one in found for edit in one.edits]
    return [edit.pattern for edit in edits if isinstance(edit, Ignore)] if found else None


@pytest.mark.parametrize(("made", "later"), [
    (GIT, step("RUN cat .git/HEAD > VERSION", OTHER)),
    (GIT, step("RUN make && git describe --tags > VERSION", OTHER)),
    (GIT, step("RUN go build -o /o .", OTHER)),
    (GIT, step("RUN pip install .", OTHER)),
    (GIT, step("RUN --mount=type=bind,source=.git,target=.git make", OTHER)),
    (GIT, step("RUN rm -r .git/hooks", OTHER)),
    (NODE, step("RUN node_modules/.bin/build", OTHER)),
    (NODE, step("RUN npx tsc", file(b"app/node_modules/.cache/x", b"x"))),
    (NODE, step('CMD ["node", "server.js"]')),
    (NODE, step("RUN npm install -g serve", OTHER)),
    (NODE, step("RUN node_modules/.bin/build && npm ci", MODULES)),
    (NODE, step("RUN cd web && npm ci", file(b"app/web/node_modules/b/b.js", b"x"))),
    (CACHE, step('CMD ["./serve", "--cache=.cache"]')),
    (CACHE, step("COPY .cache /c", file(b"c/a", b"x"))),
    (VENV, step('CMD ["venv/bin/python", "a.py"]')),
    (DOT_VENV, step("ENV PATH=/app/.venv/bin:$PATH")),
    (DOT_VENV, step("RUN true", OTHER)),
])  # fmt: skip
def test_what_is_needed_is_left(made: Made, later: Made) -> None:
    assert patterns(made, later) == []


@pytest.mark.parametrize(("made", "later", "pattern"), [
    (GIT, step("RUN apt-get install git && git clone https://x/y && git config --global a b", OTHER), ".git"),
    (GIT, step("RUN go build -buildvcs=false .", OTHER), ".git"),
    (GIT, step("RUN rm -rf .git && ls /opt/.git", OTHER), ".git"),
    (NODE, step("RUN npm ci", MODULES), "node_modules"),
    (NODE, step("RUN npm ci && node_modules/.bin/build", MODULES), "node_modules"),
    (NODE, step("RUN yarn && yarn build", MODULES), "node_modules"),
    (NODE, step("RUN npm install --omit=dev", OTHER), "node_modules"),
    (CACHE, step("RUN rm -rf /root/.cache && ls /root/.cache", OTHER), ".cache"),
    (VENV, step("RUN pip install -r requirements.txt && env", SITE), "venv"),
    (VENV, step("RUN python3 -m venv venv && venv/bin/pip install a", file(b"app/venv/b", b"x")), "venv"),
    (DOT_VENV, step("RUN uv sync", file(b"app/.venv/lib/b.py", b"x")), ".venv"),
])  # fmt: skip
def test_what_nothing_needs_is_left_out(made: Made, later: Made, pattern: str) -> None:
    assert patterns(made, later) == [f"**/{pattern}"]
    starts = step(f'CMD ["{pattern}/x"]')
    assert patterns(made, later, starts) == ([] if pattern in (".git", ".cache") else _after(later, pattern))


def _after(later: Made, pattern: str) -> list[str]:
    """What a command at the start may use is what was made at the same place."""
    is_made = any(b"app/" in entry[:4] for entry in later[1]) or "npm install" in later[0]
    return [f"**/{pattern}"] if is_made else []


def test_virtual_environments_are_known_by_what_is_in_them() -> None:
    run = step("RUN pip install a", SITE)
    assert patterns(step("COPY . .", directory(b"app/env"), file(b"app/env/a", BIG)), run) is None
    other = step("COPY . .", file(b"app/env/pyvenv.cfg", b"x"), file(b"app/x/env/b", BIG))
    assert patterns(other, run) is None
    assert patterns(step("COPY . .", file(b"app/env/pyvenv.cfg", BIG)), run) == ["**/env"]
