"""OverlaySnapshotter: overlayfs over a directory for each layer of the chain."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence

from millefeuille import kernel
from millefeuille.oci.digest import Digest
from millefeuille.snapshots import attach
from millefeuille.snapshots.snapshotter import Marks
from millefeuille.snapshots.stacked import Lowers, StackedSnapshotter


class OverlaySnapshotter(StackedSnapshotter):
    """A Snapshotter under `directory`, which overlayfs must accept for its upper layer.

    `extracted` gives the directories of a chain, the topmost first, whose marks are `marks`; it raises
    NotFound for a chain it does not know. `release` is what `release_idle` does; for `lasting` see
    Roots.
    """

    def __init__(
        self,
        directory: str,
        extracted: Callable[[Digest], Sequence[str]],
        *,
        marks: Marks = "trusted",
        release: Callable[[], list[str]] = list,
        lasting: bool = True,
    ) -> None:
        super().__init__(directory, shown(extracted), marks=marks, release=release, lasting=lasting)


def shown(extracted: Callable[[Digest], Sequence[str]]) -> Callable[[Digest], Lowers]:
    """What shows a chain by its directories; as the snapshotter's argument says."""
    return lambda chain: _opened(extracted(chain))


def _opened(paths: Sequence[str]) -> Lowers:
    if len(paths) == 1:
        # Overlayfs does not show a single directory, so this one may have to be attached as it is.
        return Lowers(descriptors=(_copy(paths[0]),))
    with contextlib.ExitStack() as stack:
        descriptors = []
        for path in paths:
            descriptors.append(os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC))
            stack.callback(os.close, descriptors[-1])
        stack.pop_all()
    return Lowers(descriptors=tuple(descriptors))


def _copy(path: str) -> int:
    try:
        descriptor = kernel.open_tree(path)
        kernel.mount_setattr("", directory=descriptor, set=kernel.ATTR_RDONLY)
    except OSError as error:
        raise attach.explain(error, f"show {path}") from None
    return descriptor
