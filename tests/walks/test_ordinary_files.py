"""Files that an ordinary user's containers gave to other users: measured and removed all the same."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping

import pytest
from tests.runtime.test_userns import Ordinary, ordinary
from tests.walks import test_ordinary_networks

from millefeuille.testing.images import MadeImage, write_docker_archive

__all__ = ["ordinary"]

pytestmark = pytest.mark.walk
# What nobody outside of the namespace may look into.
GIVEN = "mkdir -m 700 {0}/a; echo hello > {0}/a/file; chown -R 5:5 {0}/a"


class Commands(test_ordinary_networks.Commands):
    """`mille` as an ordinary user runs it, without a network."""

    def mille(self, *words: str, more: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command."""
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.directory), "MILLE_ROOT": str(self.store),
            **(more or {}),
        }  # fmt: skip
        return subprocess.run(
            [self.python, "-m", "millefeuille", *words], cwd="/", env=environment, user=self.who.number,
            group=self.who.group, extra_groups=[], capture_output=True, text=True, stdin=subprocess.DEVNULL,
            check=False, timeout=60,
        )  # fmt: skip

    def run(self, *words: str) -> str:
        """What a container of the busybox prints."""
        return self.done("run", "--network", "none", *words)


@pytest.fixture
def commands(ordinary: Ordinary, busybox: MadeImage) -> Iterator[Commands]:
    """With a busybox called base:1."""
    if shutil.which("runc") is None and shutil.which("crun") is None:
        pytest.skip("needs a runtime")
    made = Commands(ordinary)
    archive = made.directory / "base.tar"
    write_docker_archive(busybox, archive, "base:1")
    archive.chmod(0o644)
    made.done("load", "-q", "-i", str(archive))
    try:
        yield made
    finally:
        for id in made.done("ps", "-aq").split():
            made.done("rm", "-fv", id)
        made.until_idle()


def test_volumes(commands: Commands) -> None:
    kept = commands.store / "volumes"
    for name in ("one", "two"):
        commands.run("--rm", "-v", f"{name}:/v", "base:1", "sh", "-c", GIVEN.format("/v"))
    assert commands.done("system", "df", "--format", "{{.Type}} {{.Size}}").splitlines()[2:3] == [
        "Local Volumes 12B"
    ]
    assert commands.done("volume", "rm", "one") == "one\n"
    assert os.listdir(kept) == ["two"]
    assert commands.done("volume", "prune", "-af").endswith("two\n\nTotal reclaimed space: 6B\n")
    assert os.listdir(kept) == []
    commands.run("--name", "it", "-v", "/v", "base:1", "sh", "-c", GIVEN.format("/v"))
    commands.done("rm", "it")
    commands.done("rmi", "base:1")  # nothing else is there for which it would become root
    assert "Total reclaimed space: 6B" in commands.done("system", "prune", "-f", "--volumes")
    assert os.listdir(kept) == []


def test_roots_and_caches(commands: Commands) -> None:
    commands.run("--name", "it", "base:1", "sh", "-c", GIVEN.format("/tmp"))
    assert commands.done("ps", "-as", "--format", "{{.Size}}").startswith("6B (")
    assert commands.done("inspect", "-s", "-f", "{{.SizeRw}}", "it") == "6\n"
    context = commands.directory / "context"
    context.mkdir(mode=0o755)
    (context / "Dockerfile").write_text(
        f"FROM base:1\nRUN --mount=type=cache,target=/c {GIVEN.format('/c')}\n"
    )
    commands.done("build", "-q", str(context))
    assert "cache mount /c" in commands.done("builder", "du")
    assert "Containers 6B" in commands.done("system", "df", "--format", "{{.Type}} {{.Size}}")
