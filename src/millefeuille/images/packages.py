"""The packages of an image in the store, each with the layer that brought it.

Package managers keep one file for all packages, which many layers write anew. So the packages are read after
each layer that wrote one of their files; a package belongs to the layer after which it was first there, as it
is, and stayed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from blake3 import blake3

from millefeuille.analysis.compare import Shown
from millefeuille.analysis.layer import Layer
from millefeuille.errors import Failed
from millefeuille.layers.entry import DIRECTORY, FILE
from millefeuille.packages.found import LOGS, Found, find, parser_of
from millefeuille.packages.osrelease import PATHS
from millefeuille.packages.package import Package
from millefeuille.store.disk import Disk
from millefeuille.store.images import LayerRecord
from millefeuille.store.layers import DamagedLayer, open_index
from millefeuille.values import dataclass

_Key = tuple[str, str, str, str, bytes]


class TooLarge(Failed):
    """A list of packages is larger than any that a package manager writes."""


_LARGEST = 512 << 20  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A package, and the number of the layer that brought it."""

    package: Package
    layer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePackages:
    """All packages of an image, sorted; its os-release; and what could not be read."""

    packages: tuple[Installed, ...]
    system: Mapping[str, str]
    unread: tuple[str, ...]


def image_packages(disk: Disk, records: Sequence[LayerRecord]) -> ImagePackages:
    """The packages of the image with these layers, lowest first. Raises DamagedLayer, TooLarge."""
    layers = tuple(Layer(open_index(disk, record)) for record in records)
    memory: dict[tuple[int, int], bytes] = {}
    since: dict[_Key, int] = {}
    found, above = Found(packages=()), frozenset[bytes]()
    for number in range(len(layers)):
        if not _concerned(layers[number], above) and number:
            continue
        tree = _Tree(disk, records[: number + 1], layers[: number + 1], memory)
        found = find(tree)
        above = frozenset(tree.above)
        since = {key: since.get(key, number) for key in map(_key, found.packages)}
    return ImagePackages(
        packages=tuple(Installed(package=one, layer=since[_key(one)]) for one in found.packages),
        system=found.system,
        unread=found.unread,
    )


def _concerned(layer: Layer, above: frozenset[bytes]) -> bool:
    """Whether packages may come or go with a layer; `above` are the directories that records were read in."""
    if layer.whiteouts or layer.opaques:
        return True
    return any(
        parser_of(path) is not None or path in PATHS or path in LOGS
        or (path in above and layer.kinds[entry] != DIRECTORY)
        for entry, path in enumerate(layer.paths)
    )  # fmt: skip


def _key(package: Package) -> _Key:
    return package.kind, package.name, package.version, package.architecture, package.location


class _Tree:
    """The files after the last of some layers, as `packages.found` wants them."""

    def __init__(
        self, disk: Disk, records: Sequence[LayerRecord], layers: tuple[Layer, ...],
        memory: dict[tuple[int, int], bytes],
    ) -> None:  # fmt: skip
        self._disk = disk
        self._records = records
        self._shown = Shown(layers)
        self._numbers = {id(layer): number for number, layer in enumerate(layers)}
        self._memory = memory
        self.above: set[bytes] = set()  # the directories that something was read in, with those above them

    def paths(self) -> Iterable[bytes]:
        """The paths of all regular files."""
        for path in self._shown.paths:
            layer, entry = self._shown.place(path)
            if layer.kinds[entry] == FILE:
                yield path

    def read(self, path: bytes) -> bytes:
        """The content of one of them. Raises DamagedLayer, TooLarge."""
        parts = path.split(b"/")
        self.above.update(b"/".join(parts[:count]) for count in range(1, len(parts)))
        layer, entry = self._shown.place(path)
        place = (self._numbers[id(layer)], entry)
        if place not in self._memory:
            self._memory[place] = self._content(layer, *place)
        return self._memory[place]

    def _content(self, layer: Layer, number: int, entry: int) -> bytes:
        size = layer.sizes[entry]
        if size > _LARGEST:
            raise TooLarge(f"/{os.fsdecode(layer.paths[entry])}: a list of packages with {size} bytes")
        record = self._records[number]
        pieces = layer.index.sparse(entry)
        data = bytearray(size)
        with open(self._disk.tar(record.diff_id), "rb") as tar:
            tar.seek(layer.index.data_offset(entry))
            for offset, length in ((0, size),) if pieces is None else pieces:
                data[offset : offset + length] = tar.read(length)
        expected = layer.index.content(entry)
        if expected is not None and blake3(data).digest() != expected:
            raise DamagedLayer(
                f"layer {record.diff_id}: damaged in the store",
                advice="Mend it with `mille system check --data --repair`.",
            )
        return bytes(data)
