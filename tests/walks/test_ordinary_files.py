"""Files that an ordinary user's containers gave to other users: measured and removed all the same."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator

import pytest
from tests.runtime.test_userns import Ordinary, ordinary
from tests.walks.ordinarycommands import OrdinaryCommands

from millefeuille.testing.images import MadeImage

__all__ = ["ordinary"]

pytestmark = pytest.mark.walk
# What nobody outside of the namespace may look into.
GIVEN = "mkdir -m 700 {0}/a; echo hello > {0}/a/file; chown -R 5:5 {0}/a"


class Commands(OrdinaryCommands):
    """`mille` as an ordinary user runs it, without a network."""

    def run(self, *words: str) -> str:
        """What a container of the busybox prints."""
        return self.done("run", "--network", "none", *words)


@pytest.fixture
def commands(ordinary: Ordinary, busybox: MadeImage) -> Iterator[Commands]:
    """With a busybox called base:1."""
    made = Commands(ordinary)
    made.load(busybox)
    try:
        yield made
    finally:
        made.leave()
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


def test_the_files_of_a_build(commands: Commands) -> None:
    context, out = commands.directory / "context", commands.directory / "out"
    context.mkdir(mode=0o755)
    (context / "Dockerfile").write_text(
        "FROM base:1\nCOPY --chown=7:7 Dockerfile /copied\n"
        "RUN mkdir /own && echo hello > /own/file && mkfifo /own/fifo && chown -R 1000:1000 /own\n"
    )
    commands.done("build", "-q", "-o", str(out), str(context))
    assert (out / "own/file").read_text() == "hello\n"
    owners = {(path.lstat().st_uid, path.lstat().st_gid) for path in (out, *out.rglob("*"))}
    assert owners == {(commands.who.number, commands.who.group)}
    commands.done("build", "-q", "-o", f"type=tar,dest={out}.tar", str(context))
    with tarfile.open(f"{out}.tar") as archive:
        assert (archive.getmember("own/file").uid, archive.getmember("copied").gid) == (1000, 7)


def test_image_mounts(commands: Commands) -> None:
    for more in ((), (str(commands.directory),)):
        refused = commands.mille("image", "mount", "base:1", *more)
        assert (refused.stdout, refused.returncode) == ("", 1)
        said, advice = refused.stderr.splitlines()
        assert said == "Error: an ordinary user's mount of an image would end with this command"
        assert "`mille image cp`" in advice
    assert len(commands.done("image", "mount").splitlines()) == 1
