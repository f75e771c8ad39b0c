"""Real builders, each driven by its own command, and ours: a case in, an image or a refusal out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.walks.building.base import NAME
from tests.walks.building.case import Case
from tests.walks.building.image import Image, read_archive

from millefeuille.testing.servers import program

_PATIENCE: Final = 120.0  # seconds for one command
_UMASK: Final = 0o022  # Buildah's directories that no layer names depend on it


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A build that failed, with its last words."""

    code: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """`build` begins a command that ends with the context; `save` one that writes a tag to a file."""

    name: str
    build: Sequence[str]
    save: Sequence[str]
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    umask: int = _UMASK

    def play(self, case: Case, context: Path, tag: str) -> Image | Refused:
        """Build a case whose context, with its Dockerfile, is written already."""
        tag = f"{tag}-{self.name}"  # two builders have one store
        words = [*self.build, "-t", tag, *case.options]
        for key, value in case.arguments.items():
            words += ["--build-arg", f"{key}={value}"]
        done = self._run([*words, str(context)])
        if done.returncode != 0:
            return Refused(code=done.returncode, words=(done.stdout + done.stderr)[-3000:])
        archive = self.directory / f"{tag}.tar"
        saved = self._run([word.format(tag=tag, file=archive) for word in self.save])
        if saved.returncode != 0:  # Docker cannot save an image without layers
            return Refused(code=saved.returncode, words=saved.stderr)
        try:
            return read_archive(archive)
        finally:
            archive.unlink()

    def _run(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                words, env={**os.environ, **self.environment}, stdin=subprocess.DEVNULL, capture_output=True,
                text=True, errors="replace", check=False, timeout=_PATIENCE, umask=self.umask,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(words, -1, "", f"no end within {_PATIENCE:.0f} seconds")


def mille(directory: Path, base: Path) -> Builder:
    """This one, with a store of its own that holds the base."""
    command = [sys.executable, "-I", "-m", "millefeuille", "--root", str(directory / "mille")]
    subprocess.run([*command, "load", "-i", str(base)], check=True, capture_output=True)
    return Builder(
        name="mille", build=[*command, "build", "--network", "none"],
        save=[*command, "save", "-o", "{file}", "{tag}"], directory=directory,
        umask=0o077,  # ours must not depend on it
    )  # fmt: skip


def buildah(directory: Path, base: Path) -> Builder:
    """Buildah with a storage of its own. Raises ServerMissing."""
    root, run = directory / "buildah" / "root", directory / "buildah" / "run"
    command = [program("buildah"), "--root", str(root), "--runroot", str(run), "--storage-driver", "overlay"]
    place = f"containers-storage:[overlay@{root}+{run}]docker.io/library/{NAME}"
    copy = [program("skopeo"), "--insecure-policy", "copy", "-q", f"docker-archive:{base}", place]
    subprocess.run(copy, check=True, capture_output=True, umask=_UMASK)
    flags = ("--isolation", "chroot", "--layers=false", "--pull-never", "--identity-label=false")
    return Builder(
        name="buildah", build=[*command, "bud", *flags, "--format", "docker"],
        save=[*command, "push", "-q", "{tag}", "docker-archive:{file}:{tag}:1"], directory=directory,
    )  # fmt: skip


def docker(directory: Path, base: Path, host: str) -> tuple[Builder, Builder]:
    """The classic builder and the BuildKit of one dockerd at `host`. Raises ServerMissing."""
    # The client of the same release has BuildKit's own client within; newer ones want a plugin for it.
    client = "/usr/bin/docker" if os.path.exists("/usr/bin/docker") else program("docker")
    command = [client, "--host", host]
    subprocess.run([*command, "load", "-i", str(base)], check=True, capture_output=True)
    both = [
        Builder(
            name=name, build=[*command, "build", "--network", "none", "--no-cache", *flags],
            save=[*command, "save", "-o", "{file}", "{tag}"], directory=directory,
            environment={"DOCKER_BUILDKIT": switch, "DOCKER_CONFIG": str(directory / "no-config")},
        )
        for name, switch, flags in (("classic", "0", []), ("buildkit", "1", ["--progress", "plain"]))
    ]  # fmt: skip
    return both[0], both[1]
