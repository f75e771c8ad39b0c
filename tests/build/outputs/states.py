"""Final states of builds, made without a builder: layers put straight into a store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from millefeuille.build.outputs.finished import Finished, Step
from millefeuille.layers.entry import DIRECTORY, FILE, SYMLINK
from millefeuille.layers.tarheader import Metadata
from millefeuille.layers.tarstream import Member
from millefeuille.oci.layer import chain_ids
from millefeuille.oci.platform import Platform
from millefeuille.store.images import LayerRecord
from millefeuille.store.leases import Lease
from millefeuille.store.making import store_layer
from millefeuille.store.store import Store

AMD64 = Platform(os="linux", architecture="amd64")
ARM64 = Platform(os="linux", architecture="arm64")
MADE = 1_700_000_000_000_000_000


def file(path: str, data: bytes = b"x", mode: int = 0o644, **more: Any) -> Member:
    return Metadata(path=path.encode(), kind=FILE, mode=mode, size=len(data), **more), data


def directory(path: str, mode: int = 0o755, **more: Any) -> Member:
    return Metadata(path=path.encode(), kind=DIRECTORY, mode=mode, **more), None


def symlink(path: str, target: str) -> Member:
    return Metadata(path=path.encode(), kind=SYMLINK, mode=0o777, link=target.encode()), None


def gone(path: str) -> Member:
    parent, _, name = path.rpartition("/")
    return Metadata(path=f"{parent}/.wh.{name}".lstrip("/").encode(), kind=FILE, mode=0), None


def stored(store: Store, lease: Lease, members: Iterable[Member]) -> LayerRecord:
    """A layer of these members in the store."""
    record, _ = store_layer(store, members, lambda content: lease.claim([content.diff_id]))
    lease.claim(chain_ids([record.diff_id]))
    return record


def state(layers: Iterable[LayerRecord], **more: Any) -> Finished:
    """A state with a COPY step for each layer."""
    records = tuple(layers)
    steps = tuple(
        Step(created_by=f"COPY {n} / # buildkit", created=MADE + n * 10**9) for n in range(len(records))
    )
    process: Mapping[str, Any] = {"Cmd": ["/run"], "WorkingDir": "/"}
    return Finished(**{"platform": AMD64, "layers": records, "process": process, "steps": steps, **more})


def dockerfile_steps(texts: Iterable[str]) -> Iterator[Step]:
    """Steps without layers."""
    return (Step(created_by=text, empty=True) for text in texts)
