"""Where a bench stands: the common disk, the registry that serves the image, and who takes part."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench.contestants import Contestant, Docker, Mille, Podman
from bench.images import large_image
from bench.volume import volume
from millefeuille.errors import MilleError
from millefeuille.testing.images import MadeImage, push
from millefeuille.testing.servers import RegistryServer, registry


class Ground:
    """Everything that rows share; each part is made when a row first asks for it, and undone at the end."""

    def __init__(self, work: Path, cache: Path, runs: int, stack: ExitStack) -> None:
        self.work = work
        self.cache = cache
        self.runs = runs
        self.stack = stack
        self.disk = stack.enter_context(volume(work))
        self._contestants: dict[str, Contestant | None] = {}
        self._image: MadeImage | None = None
        self._reference = ""

    @property
    def image(self) -> MadeImage:
        """The large image, made or taken from the cache."""
        if self._image is None:
            self._image = large_image(self.cache)
        return self._image

    @property
    def reference(self) -> str:
        """The large image's name in a loopback registry that serves it."""
        if not self._reference:
            server = self.registry("source")
            push(self.image, server.address, "bench/large", "1", kind="docker")
            self._reference = f"{server.address}/bench/large:1"
        return self._reference

    @property
    def blobs(self) -> list[Path]:
        """The files from which the registry serves the large image's layers."""
        data = self.work / "source" / "data/docker/registry/v2/blobs/sha256"
        names = [layer.digest.partition(":")[2] for layer in self.image.layers]
        return [data / name[:2] / name / "data" for name in names] if self.reference else []

    def registry(self, name: str, stack: ExitStack | None = None) -> RegistryServer:
        """A new registry that keeps its files beside the volume, until `stack` closes."""
        return (stack or self.stack).enter_context(registry(self.work / name))

    def contestants(self, *names: str) -> list[Contestant]:
        """Those of mille, podman and docker that are installed here; a missing one is named loudly."""
        makers: dict[str, Callable[[], Contestant]] = {
            "mille": lambda: Mille(self.disk),
            "podman": lambda: Podman(self.disk),
            "docker": lambda: Docker(self.disk, self.stack),
        }
        for name in names:
            if name not in self._contestants:
                try:
                    self._contestants[name] = makers[name]()
                except MilleError as error:
                    self._contestants[name] = None
                    print(f"SKIPPED {name}: {error}", file=sys.stderr, flush=True)
        return [found for name in names if (found := self._contestants[name])]
