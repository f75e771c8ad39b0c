"""The Python interface for an ordinary user: whatever it does, the program stays who it is."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.test_userns import Ordinary, ordinary
from tests.walks.ordinarycommands import OrdinaryCommands

from millefeuille.testing.images import MadeImage

__all__ = ["ordinary"]

pytestmark = pytest.mark.walk
PROGRAM = Path(__file__).with_name("python_program.py")
# The second step is mounted on what the first one gave to a user that only the namespace has.
DOCKERFILE = "FROM base:1\nRUN mkdir -m 700 /d && echo x > /d/file && chown -R 33:33 /d\nRUN cat /d/file\n"


@pytest.fixture
def commands(ordinary: Ordinary, busybox: MadeImage) -> Iterator[OrdinaryCommands]:
    """With a busybox called base:1."""
    made = OrdinaryCommands(ordinary)
    made.load(busybox)
    try:
        yield made
    finally:
        made.until_idle()


def told(commands: OrdinaryCommands, act: str) -> Any:
    """What a program of the user's says of an act."""
    done = subprocess.run(
        [commands.python, "-W", "error", str(PROGRAM), act, str(commands.directory / "context")], cwd="/",
        env=commands.environment(), user=commands.who.number, group=commands.who.group, extra_groups=[],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_stays_who_it_is(commands: OrdinaryCommands) -> None:
    context = commands.directory / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(DOCKERFILE)
    for path in (context, context / "Dockerfile"):
        path.chmod(0o777)
    assert told(commands, "build") == {
        "same": True, "tags": ["built:1"], "known": True,
        "events": ["Began", "Ended", "Planned", "Printed"], "failure": ["StepFailed", 4],
        "refusal": "running a container from Python needs root",
    }  # fmt: skip
    assert told(commands, "check") == {"same": True, "problems": 0, "done": []}
    commands.done("builder", "prune", "-af")
    assert told(commands, "remove") == {"same": True, "images": 0, "left": [[], []]}
