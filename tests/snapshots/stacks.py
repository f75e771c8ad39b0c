"""Chains of layers given as bytes, as each driver takes them, without a store."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from millefeuille.errors import NotFound
from millefeuille.layers.index import IndexBuilder, LayerIndex
from millefeuille.layers.tar import TarParser
from millefeuille.layers.tree import Merger, Node
from millefeuille.oci.digest import Digest
from millefeuille.oci.layer import chain_ids
from millefeuille.snapshots.chain import Chain, LayerTar
from millefeuille.snapshots.erofs.merged import merged_image
from millefeuille.snapshots.overlay.difference import difference
from millefeuille.snapshots.overlay.extract import extract
from millefeuille.snapshots.overlay.marks import marks


def index_of(tar: bytes) -> LayerIndex:
    """The index of a layer."""
    builder = IndexBuilder()
    parser = TarParser(builder)
    parser.feed(tar)
    parser.finish()
    return LayerIndex(builder.finish())


class Stacks:
    """Stacks of layers below a directory; `add` them, then look them up by chain ID."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._stacks: dict[Digest, list[bytes]] = {}

    def add(self, *tars: bytes) -> Digest:
        """A stack of layers, the lowest first; its chain ID."""
        chain = [*chain_ids(map(Digest.of, tars))][-1]
        self._stacks[chain] = [*tars]
        return chain

    def tree(self, chain: Digest) -> tuple[Node, Sequence[bytes]]:
        """The merged tree and the layers, for the fake."""
        tars = self._tars(chain)
        merger = Merger()
        for tar in tars:
            merger.add(index_of(tar))
        return merger.root, tars

    def erofs(self, chain: Digest) -> Chain:
        """The files of the chain, for the erofs driver."""
        tars = self._tars(chain)
        layers = [self._layer(tar) for tar in tars]
        path = self.directory / f"{chain.hex}.erofs"
        if not path.exists():
            path.write_bytes(merged_image(chain, layers, map(index_of, tars)))
        return Chain(id=chain, metadata=str(path), layers=tuple(layers))

    def overlay(self, chain: Digest) -> list[str]:
        """The directories of the chain, for the overlay driver."""
        tars = self._tars(chain)
        descriptors = [os.open(self._layer(tar).path, os.O_RDONLY) for tar in tars]
        merger = Merger()
        paths = []
        try:
            for id, tar in zip(chain_ids(map(Digest.of, tars)), tars, strict=True):
                paths.insert(0, str(self.directory / id.hex))
                if os.path.isdir(paths[0]):
                    merger.add(index_of(tar))
                    continue
                changed = difference(merger, index_of(tar))
                os.mkdir(paths[0])
                root = os.open(paths[0], os.O_RDONLY)
                try:
                    extract(root, changed, descriptors, marks=marks())
                finally:
                    os.close(root)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        return paths

    def _tars(self, chain: Digest) -> list[bytes]:
        if chain not in self._stacks:
            raise NotFound("no such chain")
        return self._stacks[chain]

    def _layer(self, tar: bytes) -> LayerTar:
        diff_id = Digest.of(tar)
        path = self.directory / f"{diff_id.hex}.tar"
        if not path.exists():
            path.write_bytes(tar)
        return LayerTar(diff_id=diff_id, path=str(path), size=len(tar))
