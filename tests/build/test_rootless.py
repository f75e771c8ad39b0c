"""An ordinary user builds, by the command: COPY, RUN with mounts, an owner, a failure, builds on top."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping

import pytest
from tests.runtime.test_userns import Ordinary, ordinary
from tests.walks.ordinarycommands import OrdinaryCommands

from millefeuille.testing.images import MadeImage

__all__ = ["ordinary"]

pytestmark = pytest.mark.walk

DOCKERFILE = """\
FROM base:1 AS one
COPY --chown=33:34 tree /tree
RUN --mount=type=cache,target=/cache --mount=type=bind,source=tree,target=/bound \\
    --mount=type=secret,id=s cat /bound/file /run/secrets/s > /made; echo x > /cache/log; chown 5:6 /made
FROM base:1
COPY --from=one /made /tree /
RUN stat -c %u:%g:%s /made /file > /told; id -u >> /told
WORKDIR /w/x
"""


class Commands(OrdinaryCommands):
    """`mille` as an ordinary user runs it, with a context."""

    def __init__(self, who: Ordinary) -> None:
        super().__init__(who)
        self.context = self.directory / "context"
        (self.context / "tree").mkdir(parents=True)
        (self.context / "tree/file").write_text("file\n")
        (self.directory / "secret").write_text("hush\n")
        for path in (self.context, self.context / "tree"):
            path.chmod(0o755)

    def build(self, text: str, more: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Build a Dockerfile and call it made:1."""
        (self.context / "Dockerfile").write_text(text)
        secret = f"id=s,src={self.directory}/secret"
        return self.mille(
            "build", "--progress", "plain", "-t", "made:1", "--secret", secret, str(self.context), more=more
        )  # fmt: skip


@pytest.fixture
def commands(ordinary: Ordinary, busybox: MadeImage) -> Commands:
    """With a busybox called base:1."""
    made = Commands(ordinary)
    made.load(busybox)
    return made


def test_builds_of_an_ordinary_user(commands: Commands) -> None:
    done = commands.build(DOCKERFILE)
    assert done.returncode == 0, done.stderr
    shown = commands.build("FROM made:1\nRUN cat /told /made; stat -c %u:%g /file; pwd\n")
    assert shown.returncode == 0, shown.stderr
    said = [line.split(maxsplit=2)[-1] for line in shown.stderr.splitlines() if line]
    for line in ("5:6:10", "33:34:5", "hush", "33:34", "/w/x"):
        assert line in said, shown.stderr
    again = commands.build(DOCKERFILE)
    assert again.returncode == 0 and again.stderr.count("CACHED") == 5, again.stderr
    failed = commands.build("FROM made:1\nRUN echo left > /left; exit 7\n")
    assert failed.returncode == 7
    killed = commands.build(
        "FROM made:1\nRUN echo killed\n", {"MILLE_FAULT": "mount@millefeuille.snapshots.attach:1:kill"}
    )
    assert killed.returncode in (0, -signal.SIGKILL, 137)
    done = commands.build("FROM made:1\nRUN echo killed\n")
    assert done.returncode == 0, done.stderr
    assert commands.mille("system", "check", "--data").returncode == 0
    pruned = commands.mille("builder", "prune", "-a", "-f")
    assert pruned.returncode == 0, pruned.stderr
    store = commands.directory / "store"
    left = [
        path for name in ("snapshots", "build/scratch", "build/kept") for path in (store / name).glob("*")
    ]
    assert [path for path in left if path.name != "lock"] == []
    owners = {path.lstat().st_uid for path in store.rglob("*")}
    assert 0 not in owners
