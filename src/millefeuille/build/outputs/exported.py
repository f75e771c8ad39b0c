"""Exported: the files of a build's result, on their way out of the store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from millefeuille.annotations import Final
from millefeuille.build.outputs.attestation import Statement, statement_bytes
from millefeuille.build.outputs.finished import Finished
from millefeuille.build.outputs.provenance import PROVENANCE
from millefeuille.build.outputs.sbom import SPDX
from millefeuille.layers.carried import Carried, Run
from millefeuille.layers.entry import DIRECTORY, FILE, HARDLINK
from millefeuille.layers.tarheader import Metadata
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform
from millefeuille.store.filetree import FileTree
from millefeuille.store.store import Store
from millefeuille.values import dataclass

_NAMES: Final = {PROVENANCE: "provenance.json", SPDX: "sbom.spdx.json"}
_ZEROS: Final = bytes(1 << 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """The files of one state, in a directory of their own where `directory` is not empty.

    `statements` are put beside them, each about all of these files.
    """

    finished: Finished
    directory: bytes = b""
    statements: tuple[Statement, ...] = ()


def exports(
    states: Sequence[Finished], statements: Sequence[tuple[Statement, ...]] = (), *, split: bool | None = None
) -> tuple[Export, ...]:
    """An export of each state; each has its platform's directory when `split`, or when there are several."""
    is_split = len(states) > 1 if split is None else split
    told = statements or [() for _ in states]
    return tuple(
        Export(
            finished=state, directory=directory_of(state.platform) if is_split else b"", statements=said
        )
        for state, said in zip(states, told, strict=True)
    )  # fmt: skip


def directory_of(platform: Platform) -> bytes:
    """The directory that holds a platform's files: `linux_arm_v7`."""
    return str(platform).replace("/", "_").encode()


def carried(store: Store, export: Export) -> Iterator[Carried]:
    """The files of an export, each directory before what is in it; the root itself is left out.

    With an epoch everything has that time. Raises AttestationTooLarge, DamagedLayer, DamagedContent,
    BrokenLink, OSError.
    """
    finished, epoch = export.finished, export.finished.epoch
    prefix = export.directory + b"/" if export.directory else b""
    if prefix:
        yield Carried(Metadata(path=export.directory, kind=DIRECTORY, mode=0o755, mtime=epoch or 0))
    subjects: list[tuple[str, Digest]] = []
    with FileTree(store.disk, finished.layers, "of the build's result") as tree:
        for entry, runs in tree.carried(tree.root):
            if not entry.path:
                continue
            if export.statements and entry.kind == FILE:
                runs = partial(_watched, entry, runs, subjects)
            linked = prefix + entry.link if entry.kind == HARDLINK else entry.link
            placed = entry._replace(path=prefix + entry.path, link=linked)
            yield Carried(placed if epoch is None else placed._replace(mtime=epoch, nsec=0), runs)
    for number, statement in enumerate(export.statements):
        name = _NAMES.get(statement.predicate_type, f"attestation-{number}.json")
        data = statement_bytes(statement, subjects)
        entry = Metadata(path=prefix + name.encode(), kind=FILE, mode=0o644, size=len(data), mtime=epoch or 0)
        yield Carried(entry, partial(_one_run, data))


def _one_run(data: bytes) -> Iterator[Run]:
    yield 0, data


def _watched(
    entry: Metadata, runs: Callable[[], Iterable[Run]], subjects: list[tuple[str, Digest]]
) -> Iterator[Run]:
    """The data of a file, whose digest is noted when all of them have passed."""
    hasher, position = hashlib.sha256(), 0
    for offset, data in runs():
        _add_zeros(hasher.update, offset - position)
        hasher.update(data)
        position = offset + len(data)
        yield offset, data
    _add_zeros(hasher.update, entry.size - position)
    subjects.append((entry.path.decode(errors="replace"), Digest("sha256", hasher.hexdigest())))


def _add_zeros(update: Callable[[bytes], object], count: int) -> None:
    for done in range(0, count, len(_ZEROS)):
        update(_ZEROS[: count - done])
