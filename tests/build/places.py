"""A store and a context for builds in this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from millefeuille.build.copying.root import RootTree
from millefeuille.build.dockerfile.parser import parse
from millefeuille.build.report import Ended, Event, Explained
from millefeuille.build.request import Request
from millefeuille.engine.build import Order, Tree, build_image
from millefeuille.engine.snapshots import snapshotter
from millefeuille.errors import NotFound
from millefeuille.oci import config
from millefeuille.oci.config import ImageConfig
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.settings import Settings
from millefeuille.store import images
from millefeuille.store.store import Store


@dataclass
class Watching:
    """A Reporter that keeps what it was told."""

    events: list[Event] = field(default_factory=list)

    def report(self, event: Event) -> None:
        self.events.append(event)

    @property
    def outcomes(self) -> list[str]:
        """What became of the steps that make layers, in the order of the Dockerfile."""
        ended = [one for one in self.events if isinstance(one, Ended) and one.vertex.place > 1]
        return [one.outcome for one in sorted(ended, key=lambda one: one.vertex.number)]

    @property
    def reasons(self) -> list[str]:
        """What was explained, in the order of the Dockerfile."""
        told = [one for one in self.events if isinstance(one, Explained)]
        return [one.text for one in sorted(told, key=lambda one: one.vertex.number)]


class Place:
    """A store and a context below a directory."""

    def __init__(self, directory: Path) -> None:
        self.context = directory / "context"
        self.context.mkdir(parents=True, exist_ok=True)
        self.store = Store(str(directory / "store"))
        self.store.create()
        self.settings = Settings(
            root=self.store.disk.root, run=str(directory / "run"), home=str(directory),
            docker_config=str(directory), platform="", environment={},
        )  # fmt: skip
        self.watching = Watching()

    def write(self, files: Mapping[str, str]) -> None:
        """Write files into the context."""
        for name, text in files.items():
            path = self.context / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def build(
        self, dockerfile: str, *, tags: Sequence[str] = (), labels: Mapping[str, str] | None = None,
        contexts: Mapping[str, Tree | str] | None = None, series: str = "test", **wishes: Any,
    ) -> ImageConfig:
        """Build; the image's config."""
        order = Order(
            dockerfile=parse(dockerfile.encode()), request=Request(**wishes), name="test", series=series,
            names=tuple(Reference.parse(tag).tagged() for tag in tags), labels=labels or {},
            context=Tree(path=str(self.context)), contexts=contexts or {},
        )  # fmt: skip
        self.watching = Watching()
        made = build_image(self.settings, self.store, order, self.watching, no_registry, None)
        assert made.recorded is not None
        return config.parse(self.store.blobs.read(made.recorded.image))

    def unmount(self) -> None:
        """Unmount what RUNs have left for the next one."""
        snapshotter(self.settings, self.store).release_idle()

    def tree(self, config: ImageConfig) -> RootTree:
        """The image's file system; close it."""
        with self.store.reading() as tx:
            return RootTree(self.store.disk, images.layers_of(tx, config.id))

    def read(self, config: ImageConfig, path: str) -> str | None:
        """What a file of the image holds."""
        with self.tree(config) as tree:
            data = tree.read(path.encode())
        return None if data is None else data.decode()


def no_registry(reference: Reference, platform: Platform | None) -> None:
    """Nothing can be fetched."""
    raise NotFound(f"{reference}: no registry in this test")
