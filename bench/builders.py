"""The builders that are measured: the same `build` in each one's words."""

from __future__ import annotations

import copy
import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from bench.contestants import Contestant, Docker, Mille, Podman
from bench.ground import Ground
from millefeuille.testing.servers import ServerMissing, program

_OLD_CLIENT: Final = Path("/usr/bin/docker")  # the one whose BuildKit needs no plugin


class Builder:
    """A contestant that builds: `name`, and the words of a build of `context` under a tag."""

    def __init__(self, contestant: Contestant, name: str, words: Sequence[str]) -> None:
        self.contestant = copy.copy(contestant)
        self.contestant.name = name
        self._words = list(words)

    def build(self, context: Path, tag: str, *options: str) -> list[str]:
        """The building command."""
        return [*self._words, *options, "--tag", tag, str(context)]

    def forget(self) -> None:
        """Drop images and cache."""
        self.contestant.reset()


def _done(run: Callable[[], object]) -> None:
    run()


class _Mille(Builder):
    def __init__(self, contestant: Mille) -> None:
        super().__init__(contestant.whole(), "mille", ["build", "--quiet"])
        place = contestant.home / "warm"
        if not place.exists():
            place.mkdir()
            (place / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
        # A program is loaded as it is used: a build of next to nothing, in a store of its own, loads it all.
        words = [self.contestant.prefix[0], "--root", str(place / "store"), "build", "--quiet", str(place)]
        run = partial(subprocess.run, words, capture_output=True, check=True)
        warm_up = partial(_done, run)
        self.contestant.warm_up = warm_up  # type: ignore[method-assign]  # a copy of its own

    def forget(self) -> None:
        self.contestant._quietly("builder", "prune", "--all", "--force", check=False)
        super().forget()


class _Buildah(Builder):
    """podman's own builder is buildah; it is called by itself here, on podman's store."""

    def __init__(self, contestant: Podman) -> None:
        super().__init__(contestant, "buildah", ["build", "--quiet", "--layers", "--isolation", "chroot"])
        prefix = self.contestant.prefix
        self.contestant.prefix = [program("buildah"), *prefix[1:7]]

    def forget(self) -> None:
        self.contestant._quietly("rmi", "--all", "--force", check=False)


class _Classic(Builder):
    def __init__(self, contestant: Docker) -> None:
        super().__init__(contestant, "classic", ["build", "--quiet"])
        self.contestant.environment = {**contestant.environment, "DOCKER_BUILDKIT": "0"}


class _BuildKit(Builder):
    def __init__(self, contestant: Docker) -> None:
        super().__init__(contestant, "buildkit", ["build", "--quiet"])
        if not _OLD_CLIENT.exists():
            raise ServerMissing(f"{_OLD_CLIENT}: not installed")
        self.contestant.prefix = [str(_OLD_CLIENT), *contestant.prefix[1:]]
        self.contestant.environment = {**contestant.environment, "DOCKER_BUILDKIT": "1"}

    def forget(self) -> None:
        self.contestant._quietly("builder", "prune", "--all", "--force", check=False)
        super().forget()


def builders(ground: Ground) -> list[Builder]:
    """All that are installed."""
    found: list[Builder] = []
    for one in ground.contestants("mille", "podman", "docker"):
        if isinstance(one, Mille):
            found.append(_Mille(one))
        elif isinstance(one, Podman):
            found.append(_Buildah(one))
        elif isinstance(one, Docker):
            found += [_Classic(one), _BuildKit(one)]
    return found
