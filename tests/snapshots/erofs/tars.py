"""Layers that GNU tar makes, and the chains they are."""

from __future__ import annotations

import subprocess
from pathlib import Path

from millefeuille.layers.index import IndexBuilder, LayerIndex
from millefeuille.layers.tar import TarParser
from millefeuille.oci.digest import Digest
from millefeuille.snapshots.chain import Chain, LayerTar
from millefeuille.snapshots.erofs.merged import merged_image


def gnu_tar(tree: Path, tar: Path, *words: str) -> LayerTar:
    """A layer made of a directory by GNU tar."""
    form = () if "--format=gnu" in words else ("--xattrs", "--xattrs-include=*", "--format=pax")
    subprocess.run(["tar", "--numeric-owner", *form, *words, "-cf", tar, "-C", tree, "."], check=True)
    return LayerTar(diff_id=Digest.of(tar.read_bytes()), path=str(tar), size=tar.stat().st_size)


def index(layer: LayerTar) -> LayerIndex:
    builder = IndexBuilder()
    parser = TarParser(builder)
    with open(layer.path, "rb") as file:
        while piece := file.read(256 << 10):
            parser.feed(piece)
    parser.finish()
    return LayerIndex(builder.finish())


def chain(directory: Path, layers: list[LayerTar]) -> Chain:
    id = layers[-1].diff_id
    path = directory / f"{id.short}.erofs"
    path.write_bytes(merged_image(id, layers, [index(layer) for layer in layers]))
    return Chain(id=id, metadata=str(path), layers=tuple(layers))
