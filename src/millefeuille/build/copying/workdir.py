"""Workdir: the directories that WORKDIR makes."""

from __future__ import annotations

import os
from collections.abc import Iterator

from millefeuille.build.copying.chown import owner
from millefeuille.build.copying.planned import UNDATED, MadeDirectory, Planned
from millefeuille.build.copying.root import RootTree
from millefeuille.layers.tarstream import Member


def made(tree: RootTree, directory: str, user: str = "", epoch: int | None = None) -> Iterator[Member]:
    """The members of the layer in which `directory` is there; none when it is there already.

    Every directory that is missing belongs to `user`, as USER has it, "" being root; its time is `epoch`, in
    seconds. Raises NoSuchOwner, WrongKind, TooManyLinks, and what asking `tree` does.
    """
    uid, gid = owner(tree, user)
    planned = Planned(tree, MadeDirectory(uid=uid, gid=gid, mtime=UNDATED if epoch is None else epoch))
    planned.make_directories(planned.resolve(os.fsencode(directory)))
    return planned.members()
