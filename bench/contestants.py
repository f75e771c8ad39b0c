"""The engines that are measured, each with its own words for the same acts.

A contestant's store stands on the common volume; `reset` empties it between runs, outside of any timing.
"""

from __future__ import annotations

import copy
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from bench.measure import Cost, Daemon, run
from millefeuille.testing.servers import dockerd, program

_DOCKER_CONFIG: Final = '{"auths":{}}'


class Contestant:
    """What all have in common: how a command begins, and what it costs."""

    name = ""
    daemon: Daemon | None = None
    run_options: Sequence[str] = ("--rm", "--network", "none")

    def __init__(self, disk: Path) -> None:
        self.disk = disk
        self.home = disk / self.name
        self.home.mkdir()
        path = os.environ.get("PATH", os.defpath)
        self.environment = {"PATH": path, "HOME": str(self.home), "LANG": "C.UTF-8"}
        self.prefix: list[str] = []

    def cost(self, act: Sequence[str], *, until: Callable[[], None] | None = None) -> Cost:
        """Run one of the acts below, measured. Raises CommandFailed."""
        command = [*self.prefix, *act]
        return run(command, self.environment, disk=self.disk, daemon=self.daemon, until=until)

    def warm_up(self) -> None:
        """Bring the program itself into the page cache."""
        self._quietly("version")

    def _quietly(self, *act: str, check: bool = True) -> None:
        command = [*self.prefix, *act]
        subprocess.run(command, env=self.environment, capture_output=True, check=check)

    def pull(self, reference: str) -> list[str]:
        return ["pull", "--quiet", reference]

    def remove(self, reference: str) -> list[str]:
        return ["rmi", reference]

    def load(self, archive: Path) -> list[str]:
        return ["load", "--quiet", "--input", str(archive)]

    def save(self, reference: str, archive: Path) -> list[str]:
        return ["save", "--output", str(archive), reference]

    def push(self, reference: str) -> list[str]:
        return ["push", "--quiet", reference]

    def run(self, reference: str, words: Sequence[str]) -> list[str]:
        return ["run", *self.run_options, reference, *words]

    def whole(self) -> Contestant:
        """The same with all of its commands, not those on images alone."""
        found = copy.copy(self)
        if found.prefix[-1] == "image":
            found.prefix = found.prefix[:-1]
        return found

    def tag(self, reference: str, name: str) -> list[str]:
        return ["tag", reference, name]

    def reset(self) -> None:
        """Empty the store."""
        raise NotImplementedError


class Mille(Contestant):
    name = "mille"

    def __init__(self, disk: Path) -> None:
        super().__init__(disk)
        self.root = self.home / "store"
        self.prefix = [str(Path(sys.executable).parent / "mille"), "--root", str(self.root), "image"]

    def warm_up(self) -> None:
        for verb in ("ls", "pull", "load", "rm", "build"):  # each is a module of its own, with its libraries
            self._quietly(verb, "--help", check=False)

    def remove(self, reference: str) -> list[str]:
        return ["rm", reference]

    def reset(self) -> None:
        # Any command on containers lets go of what is mounted and not used.
        self.whole()._quietly("kill", "nobody", check=False)
        shutil.rmtree(self.root, ignore_errors=True)


def _allowed() -> Iterator[str]:
    """Options for limits that the host allows; podman's defaults may be above them."""
    for name, limit in (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC)):
        hard = resource.getrlimit(limit)[1]
        most = 4096 if hard == resource.RLIM_INFINITY else min(hard, 4096)
        yield from ("--ulimit", f"{name}={most}:{most}")


class Podman(Contestant):
    name = "podman"
    run_options = ("--rm", "--network", "none", "--tls-verify=false", *_allowed())

    def __init__(self, disk: Path) -> None:
        executable = program("podman")
        super().__init__(disk)
        self.prefix = [executable, "--root", f"{self.home}/root", "--runroot", f"{self.home}/run"]
        self.prefix += ["--storage-driver", "overlay", "--runtime", program("runc")]
        self.prefix += ["--cgroup-manager", "cgroupfs"]

    def pull(self, reference: str) -> list[str]:
        return ["pull", "--quiet", "--tls-verify=false", reference]

    def push(self, reference: str) -> list[str]:
        return ["push", "--quiet", "--tls-verify=false", reference]

    def reset(self) -> None:
        self._quietly("rmi", "--all", "--force")


class Docker(Contestant):
    name = "docker"

    def __init__(self, disk: Path, stack: ExitStack) -> None:
        executable = program("docker")
        super().__init__(disk)
        server = stack.enter_context(dockerd(self.home))
        self.daemon = Daemon(server.pid)
        (self.home / ".docker").mkdir()
        (self.home / ".docker/config.json").write_text(_DOCKER_CONFIG)
        self.prefix = [executable, "--host", server.host]

    def reset(self) -> None:
        self._quietly("image", "prune", "--all", "--force")


class Skopeo(Contestant):
    """Takes part in push only: copies the same image from an OCI layout on the same disk."""

    name = "skopeo"

    def __init__(self, disk: Path) -> None:
        executable = program("skopeo")
        super().__init__(disk)
        self.prefix = [executable]

    def warm_up(self) -> None:
        self._quietly("--version")

    def push(self, reference: str) -> list[str]:
        source = f"oci:{self.home}/layout:bench"
        return ["copy", "--quiet", "--dest-tls-verify=false", source, f"docker://{reference}"]

    def reset(self) -> None:
        pass
