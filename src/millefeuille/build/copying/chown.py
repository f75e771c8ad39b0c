"""Chown: whom `--chown` and USER make the owner, by the passwd and group files of the root."""

from __future__ import annotations

from collections.abc import Iterator

from millefeuille.annotations import Final
from millefeuille.build.copying.root import RootTree
from millefeuille.errors import NotFound

_FILE_MAXIMUM: Final = 10 << 20  # bytes
_ID_MAXIMUM: Final = (1 << 32) - 2
_PREFIX: Final = "unable to convert uid/gid chown string to host mapping: "


class NoSuchOwner(NotFound):
    """The root has no such user or group. Words of Docker's classic builder."""


def owner(tree: RootTree, text: str) -> tuple[int, int]:
    """The user and group IDs that `text`, `user[:group]`, means in the root `tree`.

    Numbers are IDs, listed or not. Without a group a number stands for the group too, and a name for the
    group that passwd gives it. Raises NoSuchOwner, and what asking `tree` does.
    """
    user, _, group = text.partition(":")
    number = _number(user)
    if number is not None or not user:
        uid = gid = number or 0
    else:
        uid, gid = _named(tree, user)
    if not group:
        return uid, gid
    number = _number(group)
    return uid, _group(tree, group) if number is None else number


def _named(tree: RootTree, name: str) -> tuple[int, int]:
    for fields in _lines(tree, b"/etc/passwd", 4):
        uid, gid = _number(fields[2]), _number(fields[3])
        if fields[0] == name and uid is not None and gid is not None:
            return uid, gid
    raise NoSuchOwner(f"{_PREFIX}can't find uid for user {name}: no such user: {name}")


def _group(tree: RootTree, name: str) -> int:
    for fields in _lines(tree, b"/etc/group", 3):
        gid = _number(fields[2])
        if fields[0] == name and gid is not None:
            return gid
    raise NoSuchOwner(f"{_PREFIX}can't find gid for group {name}: no such group: {name}")


def _lines(tree: RootTree, path: bytes, fields: int) -> Iterator[list[str]]:
    """The lines of such a file that have at least so many fields; none where there is no such file."""
    for line in (tree.read(path, _FILE_MAXIMUM) or b"").decode(errors="surrogateescape").split("\n"):
        parts = line.strip().split(":")
        if len(parts) >= fields:
            yield parts


def _number(text: str) -> int | None:
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or int(text) > _ID_MAXIMUM:
        return None
    return int(text)
