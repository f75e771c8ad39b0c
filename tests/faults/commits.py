"""A commit for the sweeps: of a directory as overlayfs would have written it, which needs no mount."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from millefeuille.containers.commit import commit
from millefeuille.containers.committed import Wishes
from millefeuille.containers.record import Container
from millefeuille.layers.changes import Written
from millefeuille.oci.reference import Reference
from millefeuille.store import images, names
from millefeuille.store.store import Store

_NAME = Reference.parse("kid:1").tagged()


@cache
def _written() -> TemporaryDirectory[str]:
    directory = TemporaryDirectory()
    Path(directory.name, "etc").mkdir()
    Path(directory.name, "etc/new").write_bytes(b"new" * 100_000)
    Path(directory.name, "other").touch()
    return directory


def committed(store: Store) -> None:
    """`mille commit CONTAINER kid:1`, of a container made from app:base."""
    with store.reading() as tx:
        parent = names.find(tx, "app:base")
        layers = images.layers_of(tx, parent.id)
    container = Container(
        id="c" * 64, name="quiet_heron", created="2026-01-01T00:00:00Z", image=parent.id, chain=parent.chain,
        layers=tuple(layer.diff_id for layer in layers), path="sh", args=(), platform="linux/amd64",
        config={"Cmd": ["sh"]}, host_config={},
    )  # fmt: skip
    upper = os.open(_written().name, os.O_RDONLY | os.O_DIRECTORY)
    try:
        wishes = Wishes(name=_NAME, epoch=1_000_000_000)
        commit(store, container, Written(upper=upper, lower=None), wishes)
    finally:
        os.close(upper)
