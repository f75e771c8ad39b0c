"""Plays the recorded command lines with `mille`, on a busybox of this machine's own.

The recordings leave out how their archives and images came about; here that is done where it is needed.
"""

from __future__ import annotations

import gzip
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.walks.transcript import Act, identifiers, in_our_words, read

from millefeuille.testing.images import MadeImage

GOLDEN: Final = Path(__file__).parent / "golden"
_RECORDED_REGISTRY: Final = "127.0.0.1:5055"

# Docker's registry was out of reach when the recordings were made.
_NOWHERE: Final = """\
unqualified-search-registries = ["docker.io"]
[[registry]]
prefix = "docker.io"
location = "127.0.0.1:1"
"""

_FIRST: Final = "dafe83b986129110a509e776598bce75275894c065efdbbfab73189035f47409"
_SECOND: Final = "e3ee603faf5aba1e68149a16753c98dc04cb06ca1419165e1b40fb31e0fff77c"
_WRITING: Final = "sh -c echo hi > /new; mkdir /d; rm /etc/group; echo out; echo err >&2; exit 3"

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
    "docker commit -a me -m msg -c ENV X=1 w kid:1": "docker commit -a me -m msg -c 'ENV X=1' w kid:1",
    "docker commit -a me -m msg -c ENV X=1 ww kid:1": "docker commit -a me -m msg -c 'ENV X=1' ww kid:1",
    "docker inspect -f {{json .State}} {{json .Config}} exx": (
        "docker inspect -f '{{json .State}} {{json .Config}}' exx"
    ),
}


def _quoted(command: str) -> str:
    """A recorded command line as a shell takes it: what `sh -c` runs is one word."""
    if (known := _QUOTED.get(command)) is not None:
        return known
    words, shell, script = command.partition(" sh -c ")
    return f"{words}{shell}{shlex.quote(script)}" if shell else command


# What the recordings leave out: which acts came before these, in the recording of that name.
_BEFORE: Final = {
    ("g2", "docker create --name c1 --network none busybox true"): (
        f"docker import bb.tar {_RECORDED_REGISTRY}/team/busybox:1.0",
        f"docker push -q {_RECORDED_REGISTRY}/team/busybox:1.0",
        "docker import -m first bb.tar busybox:latest",
    ),
    ("g2", "docker rmi busybox:latest"): ("docker tag busybox other:1",),
    ("g2", f"docker rmi sha256:{_FIRST} #2"): ("docker tag other:1 busybox",),
    ("g2", "docker run -d --name run1 --network none busybox sleep 1000"): (
        "docker rm c1",
        "docker import -m second bb.tar busybox:latest",
        "docker tag busybox other:1",
    ),
    ("g2", f"docker rmi sha256:{_SECOND}"): ("docker tag other:1 busybox",),
    ("g2", "docker images"): (
        "docker import -m third bb.tar busybox:latest",
        "docker import -m fourth bb.tar busybox:latest",
    ),
    ("g3", f"docker run --network none --name ww busybox {_WRITING}"): (
        "docker import bb.tar busybox:latest",
    ),
    ("g3", "docker save busybox:latest -o ref/s1.tar"): (
        "docker import bb.tar busybox:latest", "docker import bb.tar other", "docker import bb.tar busybox:1",
    ),
    ("g3", "tar tf ref/s2.tar"): (
        "docker save busybox:1 busybox:latest -o ref/s2.tar",
        "sh -c 'docker save $(docker images -q busybox:1) -o ref/s3.tar'",
    ),
    ("g3", "docker load -i ref/s3.tar"): ("docker rmi busybox:1",),
    ("g3", "docker load -i ref/s1.tar #2"): ("docker tag other busybox:latest", "docker rmi other"),
    ("g4", "docker run -d --name exx --network none busybox sleep 100"): (
        """docker import -c 'CMD ["sh"]' bb.tar busybox:latest""",
    ),
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
        (directory / "bctx").mkdir()
        (directory / "bctx" / "f.txt").write_text("file\n")
        (directory / "registries.conf").write_text(_NOWHERE)
        self._directory = directory
        self._known: dict[str, str] = {}
        self._address = address
        self._environment = {
            "PATH": f"{stand_in.parent}:{os.environ['PATH']}", "HOME": str(directory), "TZ": "UTC",
            "LC_ALL": "C.UTF-8", "MILLE_ROOT": str(directory / "store"),
            "CONTAINERS_REGISTRIES_CONF": str(directory / "registries.conf"),
        }  # fmt: skip

    def again(self, recording: str) -> Iterator[tuple[Act, Act]]:
        """Docker's acts in our words, each beside what we did."""
        try:
            for act in read(GOLDEN / f"{recording}.txt"):
                for command in _BEFORE.get((recording, act.key), ()):
                    done = self.play(command)
                    assert done.code == 0, done
                played = self.play(self._ours(_quoted(act.command)))
                played = replace(act, stdout=played.stdout, stderr=played.stderr, code=played.code)
                yield in_our_words(act), played
                self._learn(act, played)
        finally:
            self.play("sh -c 'docker ps -aq | xargs -r docker rm -f -v'")

    def _learn(self, act: Act, played: Act) -> None:
        """Remember which object of ours stands for which recorded one."""
        for one, other in zip(identifiers(act), identifiers(played), strict=False):
            if len(self._known.get(one[:12], "")) < len(other):
                self._known[one[:12]] = other

    def _ours(self, command: str) -> str:
        """A command with our objects in place of the recorded ones."""
        for word in set(re.findall(r"\b[0-9a-f]{12,64}\b", command)):
            ours = self._known.get(word[:12], word)
            if len(word) == 64 and len(ours) < 64:
                listed = self.play("docker images -aq --no-trunc").stdout.replace("sha256:", "").split()
                ours = next(id for id in listed if id.startswith(ours))
            command = command.replace(word, ours[: len(word)])
        return command

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
