"""Plays the recorded command lines with `mille`, on a busybox of this machine's own.

The recordings leave out how their archives and images came about; here that is done where it is needed.
"""

from __future__ import annotations

import gzip
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.walks.transcript import Act, in_our_words, read

from millefeuille.testing.images import MadeImage

GOLDEN: Final = Path(__file__).parent / "golden"
_RECORDED_REGISTRY: Final = "127.0.0.1:5055"

# Command lines with arguments that hold blanks, which the recordings do not mark.
_QUOTED: Final = {
    'docker import -c CMD ["sh"] -m imported busybox --change LABEL a=b bb.tar busybox:latest': (
        """docker import -c 'CMD ["sh"]' -m 'imported busybox' --change 'LABEL a=b' bb.tar busybox:latest"""
    ),
    "docker image ls --format {{json .}} busybox": "docker image ls --format '{{json .}}' busybox",
    r"docker image ls --format table {{.ID}}\t{{.Repository}}:{{.Tag}}\t{{.Size}}": (
        r"docker image ls --format 'table {{.ID}}\t{{.Repository}}:{{.Tag}}\t{{.Size}}'"
    ),
    "docker image inspect -f {{.Os}}/{{.Architecture}} {{json .Config.Labels}} {{.RepoTags}}"
    " busybox nosuch": (
        "docker image inspect -f '{{.Os}}/{{.Architecture}} {{json .Config.Labels}} {{.RepoTags}}'"
        " busybox nosuch"
    ),
    "docker pull ": "docker pull ''",
    "sh -c echo garbage | docker load": "sh -c 'echo garbage | docker load'",
    "sh -c echo n | docker image prune": "sh -c 'echo n | docker image prune'",
    "sh -c echo y | docker image prune -a": "sh -c 'echo y | docker image prune -a'",
    "sh -c docker load </dev/null": "sh -c 'docker load </dev/null'",
}

# The part of the third recording in which a container is kept and committed.
_LAST_WITH_CONTAINER: Final = "docker rm ww"

# Where the second recording is done with its containers.
_FIRST_OF_PRUNES: Final = "docker images"

_BEFORE: Final = {
    _FIRST_OF_PRUNES: (
        f"docker import bb.tar {_RECORDED_REGISTRY}/team/busybox:1.0",
        f"docker push -q {_RECORDED_REGISTRY}/team/busybox:1.0",
        "docker import -m first bb.tar busybox:latest",
        "docker import -m second bb.tar busybox:latest",
    ),
    "docker save busybox:latest -o ref/s1.tar": (
        "docker import bb.tar busybox:latest", "docker import bb.tar other", "docker import bb.tar busybox:1",
    ),
    "tar tf ref/s2.tar": (
        "docker save busybox:1 busybox:latest -o ref/s2.tar",
        "sh -c 'docker save $(docker images -q busybox:1) -o ref/s3.tar'",
    ),
    "docker load -i ref/s3.tar": ("docker rmi busybox:1",),
    "docker load -i ref/s1.tar #2": ("docker tag other busybox:latest", "docker rmi other"),
}  # fmt: skip


class Player:
    """One store under `directory`, one registry at `address`, and `mille` under Docker's name."""

    def __init__(self, directory: Path, image: MadeImage, address: str) -> None:
        (directory / "ref").mkdir(parents=True)
        (directory / "bin").mkdir()
        stand_in = directory / "bin" / "docker"
        stand_in.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -m millefeuille "$@"\n')
        stand_in.chmod(0o755)
        (directory / "bb.tar").write_bytes(gzip.decompress(image.layers[0].path.read_bytes()))
        self._directory = directory
        self._address = address
        self._environment = {
            "PATH": f"{stand_in.parent}:{os.environ['PATH']}", "HOME": str(directory), "TZ": "UTC",
            "LC_ALL": "C.UTF-8", "MILLE_ROOT": str(directory / "store"),
        }  # fmt: skip

    def g1(self) -> Iterator[tuple[Act, Act]]:
        """Docker's acts in our words, each beside what we did."""
        for act in read(GOLDEN / "g1.txt"):
            yield in_our_words(act), self._again(act)

    def g2(self) -> Iterator[tuple[Act, Act]]:
        """The same for what is left without its containers: lists with filters, and prunes."""
        acts = iter(read(GOLDEN / "g2.txt"))
        first = next(act for act in acts if act.key == _FIRST_OF_PRUNES)
        for act in (first, *acts):
            self._prepare(act)
            yield in_our_words(act), self._again(act)

    def g3(self) -> Iterator[tuple[Act, Act]]:
        """The same, from where no container takes part any more."""
        self.play("docker import bb.tar busybox:latest")
        acts = iter(read(GOLDEN / "g3.txt"))
        while next(acts).key != _LAST_WITH_CONTAINER:
            pass
        for act in acts:
            self._prepare(act)
            yield in_our_words(act), self._again(act)

    def _prepare(self, act: Act) -> None:
        for command in _BEFORE.get(act.key, ()):
            done = self.play(command)
            assert done.code == 0, done

    def _again(self, act: Act) -> Act:
        played = self.play(_QUOTED.get(act.command, act.command))
        return replace(act, stdout=played.stdout, stderr=played.stderr, code=played.code)

    def play(self, command: str) -> Act:
        """Run a recorded command line."""
        words = shlex.split(command) if "'" in command else command.split()
        done = subprocess.run(
            [word.replace(_RECORDED_REGISTRY, self._address) for word in words],
            cwd=self._directory,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Act(command=command, key=command, stdout=done.stdout, stderr=done.stderr, code=done.returncode)
