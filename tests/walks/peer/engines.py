"""Two engines to play cases with: Docker's own, and this one under Docker's name."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.walks.peer.cases import Case, Outcome

from millefeuille.testing.servers import program

# What a case may have left; the image is imported again unless it is as it was.
_RESET: Final = """
ids=$(docker ps -aq)
[ -z "$ids" ] || docker rm -f -v $ids
names=$(docker volume ls -q)
[ -z "$names" ] || docker volume rm $names
docker network prune -f
if [ "$(docker images -a --format '{{.Repository}}:{{.Tag}}')" != busybox:latest ]; then
    ids=$(docker images -aq | sort -u)
    [ -z "$ids" ] || docker rmi -f $ids
    ids=$(docker images -aq | sort -u)
    [ -z "$ids" ] || docker rmi -f $ids
    docker import -c 'CMD ["sh"]' -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
        ../busybox.tar busybox
fi
"""
_PORTS: Final = ("18765", "18766")
_SUBNETS: Final = ("10.77.0", "10.78.0")
_PATIENCE: Final = 60.0  # seconds for one line


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What `docker` means in a directory where cases are played."""

    directory: Path
    environment: dict[str, str]

    def play(self, case: Case) -> list[Outcome]:
        """What each line of a case comes to, on a busybox and nothing else."""
        here = self.directory
        shutil.rmtree(here, ignore_errors=True)
        here.mkdir(parents=True)
        self._sh(_RESET)
        return [self._sh(line) for line in case.lines]

    def finish(self) -> None:
        """Leave no container behind."""
        self._sh(_RESET)

    def _sh(self, script: str) -> Outcome:
        try:
            done = subprocess.run(
                ["sh", "-c", script], cwd=self.directory, env=self.environment, stdin=subprocess.DEVNULL,
                capture_output=True, check=False, timeout=_PATIENCE,
            )  # fmt: skip
        except subprocess.TimeoutExpired as late:
            return Outcome(stdout=_text(late.stdout), stderr=f"no end: {_text(late.stderr)}", code=-1)
        return Outcome(stdout=_text(done.stdout), stderr=_text(done.stderr), code=done.returncode)


def docker(directory: Path, host: str) -> Engine:
    """Docker's, at the address `host`, with the client of the same release where there is one.

    Raises ServerMissing.
    """
    client = "/usr/bin/docker" if os.path.exists("/usr/bin/docker") else program("docker")
    return _engine(directory, "theirs", _PORTS[0], _SUBNETS[0], f"{shlex.quote(client)} --host {host}")


def mille(directory: Path) -> Engine:
    """This one, with a store in `directory`."""
    command = f"{shlex.quote(sys.executable)} -I -m millefeuille --root {directory}/store"
    return _engine(directory, "ours", _PORTS[1], _SUBNETS[1], command)


def _engine(directory: Path, name: str, port: str, subnet: str, command: str) -> Engine:
    programs = directory / f"bin-{name}"
    programs.mkdir(parents=True)
    stand_in = programs / "docker"
    stand_in.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    stand_in.chmod(0o755)
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(directory), "TZ": "UTC",
        "LC_ALL": "C.UTF-8", "N": "--network none", "PORT": port, "SUB": subnet,
    }  # fmt: skip
    return Engine(directory=directory / "work" / name, environment=environment)


def _text(data: bytes | None) -> str:
    return (data or b"").decode(errors="replace")
