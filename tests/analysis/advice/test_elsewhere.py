"""What stages that have no layer in the image need of the context."""

from __future__ import annotations

import pytest
from tests.analysis.advice.made import Made, step, waste

from millefeuille.analysis.advice.edits import Ignore
from millefeuille.analysis.advice.ignores import ignores
from millefeuille.testing.rawtars import file

BIG = b"x" * 20000
GIT = step("COPY . .", file(b"app/.git/HEAD", BIG), file(b"app/a", b"a"))
NODE = step("COPY . .", file(b"app/node_modules/a/a.js", BIG), file(b"app/server.js", b"a"))
WEB = step("COPY . .", file(b"app/node_modules/a.js", BIG), file(b"app/web/node_modules/a.js", BIG))
CLIENT = step("COPY client .", file(b"app/node_modules/a/a.js", BIG), file(b"app/server.js", b"a"))
VENV = step("COPY . .", file(b"app/.venv/pyvenv.cfg", b"x"), file(b"app/.venv/lib/a.py", BIG))
INSTALL = step("RUN npm ci", file(b"app/node_modules/a/b.js", b"b"))
SITE = step("RUN pip install flask", file(b"usr/lib/python3/site-packages/a.py", b"b"))
OUT = step("COPY --from=other /o /o", file(b"o", b"o"))


def is_left_out(before: str, *steps: Made) -> bool:
    """Whether advice leaves what the last stage copies out of the context, behind one of these lines."""
    stage = [(line, ()) for line in ("FROM a AS other", "WORKDIR /w", *before.splitlines())]
    found = list(ignores(waste(*stage, ("FROM b", ()), ("WORKDIR /app", ()), *steps)))
    assert found
    return all(any(isinstance(edit, Ignore) for edit in one.edits) for one in found)


@pytest.mark.parametrize(("before", "is_found"), [
    ("COPY . .\nRUN head -c 3 .git/HEAD > /version", False),
    ("COPY . .\nRUN git describe > /version", False),
    ("COPY ./ /w\nRUN go build -o /o .", False),
    ("COPY . .\nRUN make", True),
    ("COPY a .\nRUN go build -o /o .", True),
    ("COPY --exclude=.git . .\nRUN go build -o /o .", True),
    ("ADD https://x/y .\nRUN git describe", True),
    ("RUN --mount=type=bind,target=/w git describe > /v", False),
    ("RUN --mount=target=/w,source=. git describe > /v", False),
    ("RUN --mount=type=bind,source=a,target=/w/a git describe > /v", True),
    ("RUN --mount=type=bind,from=z,target=/w git describe > /v", True),
    ("COPY . .\nFROM other AS next\nRUN git describe > /v", False),
    ("COPY . .\nFROM c AS next\nRUN git describe > /v", True),
    ("COPY . .\nFROM c AS next\nCOPY --from=other /w /w\nRUN git describe > /v", False),
    ("COPY . .\nFROM c AS next\nCOPY --from=0 /w/.git/HEAD /v", False),
    ("COPY . .\nFROM c AS next\nRUN --mount=type=bind,from=other,target=/w git describe > /v", False),
])  # fmt: skip
def test_the_history(before: str, is_found: bool) -> None:
    assert is_left_out(before, GIT, OUT) is is_found


@pytest.mark.parametrize(("before", "is_found"), [
    ("COPY . .\nRUN test -d node_modules/gulp && npm ci", False),
    ("COPY . .\nRUN npm run build", False),
    ("COPY . .\nRUN make", False),
    ("COPY . .\nRUN npm ci && npm run build", True),
    ("COPY . .\nRUN yarn\nRUN yarn build && ls node_modules", True),
    ("COPY package.json .\nRUN npm ci\nCOPY . .\nRUN npm run build", False),
    ("COPY package.json .\nRUN npm run build", True),
    ("COPY . .\nRUN apt-get install -y gcc && go build -o /o . && cp a b", True),
    ("COPY . .\nRUN npm ci\nFROM other AS next\nRUN npm test", True),
    ("COPY . .\nFROM other AS next\nRUN npm test", False),
    ('COPY . .\nFROM other AS next\nCMD ["node_modules/.bin/serve"]', False),
    ("RUN --mount=type=bind,target=/w npm run build", False),
    ("RUN --mount=type=bind,source=package.json,target=package.json npm ci", True),
])  # fmt: skip
def test_modules(before: str, is_found: bool) -> None:
    assert is_left_out(before, NODE, INSTALL, OUT) is is_found


def test_modules_that_a_stage_hands_on() -> None:
    taken = step("COPY --from=other /w/node_modules /m", file(b"m/a.js", b"a"))
    assert not is_left_out("COPY . .", NODE, INSTALL, taken)
    assert is_left_out("COPY package.json .\nRUN npm ci", NODE, INSTALL, taken)


def test_modules_at_several_places() -> None:
    made = (file(b"app/node_modules/b", b"b"), file(b"app/web/node_modules/b", b"b"))
    install = step("RUN npm ci && cd web && npm ci", *made)
    assert not is_left_out("COPY . .\nRUN npm ci && cd web && npm run build", WEB, install)
    assert is_left_out("COPY . .\nRUN npm ci && cd web && npm ci && npm run build", WEB, install)


def test_a_directory_whose_place_in_the_context_is_not_plain() -> None:
    assert not is_left_out("COPY server .\nRUN npm run build", CLIENT, INSTALL)
    assert is_left_out("COPY package.json .\nRUN npm run build", CLIENT, INSTALL)


@pytest.mark.parametrize(("before", "is_found"), [
    ("COPY . .\nRUN npm ci && npm run build", True),
    ("COPY . .\nRUN pip install -r r.txt && python manage.py collect", True),
    ("COPY . .\nRUN python manage.py collect", False),
    ("COPY . .\nRUN .venv/bin/python manage.py collect", False),
])  # fmt: skip
def test_virtual_environments(before: str, is_found: bool) -> None:
    assert is_left_out(before, VENV, SITE, OUT) is is_found


def test_a_run_of_the_image_that_mounts_the_context() -> None:
    run = step("RUN --mount=type=bind,target=/c git -C /c describe > /v", file(b"v", b"v"))
    assert not is_left_out("", run, GIT)
    assert is_left_out("", step("RUN git -C /c describe > /v", file(b"v", b"v")), GIT)
