"""Exported: the files of a build's result, on their way out of the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from millefeuille.build.outputs.finished import Finished
from millefeuille.layers.carried import Carried, Run
from millefeuille.layers.entry import DIRECTORY, FILE, HARDLINK
from millefeuille.layers.tarheader import Metadata
from millefeuille.oci.platform import Platform
from millefeuille.store.filetree import FileTree
from millefeuille.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """The files of one state, in a directory of their own where `directory` is not empty.

    `extra` files (provenance, bills of materials) are put beside those of the state.
    """

    finished: Finished
    directory: bytes = b""
    extra: Mapping[str, bytes] = field(default_factory=dict)


def exports(
    states: Sequence[Finished], extras: Sequence[Mapping[str, bytes]] = (), *, split: bool | None = None
) -> tuple[Export, ...]:
    """An export of each state; each has its platform's directory when `split`, or when there are several."""
    is_split = len(states) > 1 if split is None else split
    told = extras or [{} for _ in states]
    return tuple(
        Export(finished=state, directory=directory_of(state.platform) if is_split else b"", extra=extra)
        for state, extra in zip(states, told, strict=True)
    )


def directory_of(platform: Platform) -> bytes:
    """The directory that holds a platform's files: `linux_arm_v7`."""
    return str(platform).replace("/", "_").encode()


def carried(store: Store, export: Export) -> Iterator[Carried]:
    """The files of an export, each directory before what is in it; the root itself is left out.

    With an epoch everything has that time. Raises DamagedLayer, DamagedContent, BrokenLink, OSError.
    """
    finished, epoch = export.finished, export.finished.epoch
    prefix = export.directory + b"/" if export.directory else b""
    if prefix:
        yield Carried(Metadata(path=export.directory, kind=DIRECTORY, mode=0o755, mtime=epoch or 0))
    with FileTree(store.disk, finished.layers, "of the build's result") as tree:
        for entry, runs in tree.carried(tree.root):
            if not entry.path:
                continue
            linked = prefix + entry.link if entry.kind == HARDLINK else entry.link
            placed = entry._replace(path=prefix + entry.path, link=linked)
            yield Carried(placed if epoch is None else placed._replace(mtime=epoch, nsec=0), runs)
    for name, data in export.extra.items():
        entry = Metadata(path=prefix + name.encode(), kind=FILE, mode=0o644, size=len(data), mtime=epoch or 0)
        yield Carried(entry, partial(_one_run, data))


def _one_run(data: bytes) -> Iterator[Run]:
    yield 0, data
