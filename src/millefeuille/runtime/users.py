"""Who a container runs as: user and group looked up in the image's own /etc/passwd and /etc/group.

Both files are opened inside the root, must be regular and small: an image may hold anything at these paths.

Source: moby/sys user.GetExecUser, which Docker and runc use.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from functools import partial

from millefeuille import kernel
from millefeuille.annotations import Final
from millefeuille.errors import Invalid, NotFound
from millefeuille.values import dataclass, replace

_MAXIMUM_FILE: Final = 10 << 20
_MAXIMUM_LINE: Final = 64 << 10
_MAXIMUM_ID: Final = (1 << 32) - 2


class NoSuchUser(NotFound):
    """The image has no such user or group."""


class InvalidUserFile(Invalid):
    """The image's passwd or group file is not one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """The identity of a process; `home` is "/" when the image does not say."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()
    home: str = "/"


def look_up(root: int, wanted: str, more: Sequence[str] = ()) -> User:
    """The user that `wanted` ("name", "uid", either with ":group") means in the tree below descriptor `root`,
    in the groups `more` as well.

    What is numeric is an ID, listed or not. Raises NoSuchUser, InvalidUserFile.
    """
    name, _, group = wanted.partition(":")
    user = _user(root, name)
    if group:
        gid = _group(root, group)
        user = User(uid=user.uid, gid=gid, groups=(gid,), home=user.home)
    added = [gid for gid in map(partial(_added, root), more) if gid not in user.groups]
    return replace(user, groups=(*user.groups, *dict.fromkeys(added)))


def _added(root: int, name: str) -> int:
    try:
        return _group(root, name)
    except NoSuchUser:
        raise NoSuchUser(f"Unable to find group {name}: no matching entries in group file") from None


def _user(root: int, name: str) -> User:
    number = _number(name) if name else 0
    for fields in _lines(root, "etc/passwd", 7):
        uid, gid = _number(fields[2]), _number(fields[3])
        if uid is None or gid is None:
            continue
        if fields[0] == name if number is None else uid == number:
            groups = (gid, *(other for other in _memberships(root, fields[0]) if other != gid))
            return User(uid=uid, gid=gid, groups=groups, home=fields[5] or "/")
    if number is None:
        _refuse_out_of_range(name)
        raise NoSuchUser(f"unable to find user {name}: no matching entries in passwd file")
    return User(uid=number, gid=0, groups=(0,))


def _group(root: int, name: str) -> int:
    number = _number(name)
    if number is not None:
        return number
    for fields in _lines(root, "etc/group", 4):
        gid = _number(fields[2])
        if gid is not None and fields[0] == name:
            return gid
    _refuse_out_of_range(name)
    raise NoSuchUser(f"unable to find group {name}: no matching entries in group file")


def _memberships(root: int, name: str) -> list[int]:
    found = []
    for fields in _lines(root, "etc/group", 4):
        gid = _number(fields[2])
        if gid is not None and name in fields[3].split(","):
            found.append(gid)
    return found


def _refuse_out_of_range(text: str) -> None:
    """A number that no user or group has; in runc's words."""
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit() and (text != digits or int(digits[:20]) > _MAXIMUM_ID):
        raise NoSuchUser(f"uids and gids must be in range 0-{_MAXIMUM_ID}")


def _number(text: str) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        return None
    value = int(text)
    return value if value <= _MAXIMUM_ID else None


def _lines(root: int, path: str, columns: int) -> Iterator[list[str]]:
    """The lines of a file with at least `columns` fields; none when there is no such file."""
    descriptor = _open(root, path)
    if descriptor is None:
        return
    with open(descriptor, "rb") as file:
        while line := file.readline(_MAXIMUM_LINE + 1):
            if len(line) > _MAXIMUM_LINE:
                raise InvalidUserFile(f"/{path} in the image has a line of more than {_MAXIMUM_LINE} bytes")
            text = line.decode(errors="surrogateescape").strip()
            fields = text.split(":")
            if len(fields) >= columns and not text.startswith("#"):
                yield fields


def _open(root: int, path: str) -> int | None:
    """A regular file below `root`. It is looked at before it is opened: opening a device may do something."""
    try:
        place = kernel.openat2(root, path, os.O_PATH, resolve=kernel.RESOLVE_IN_ROOT)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InvalidUserFile(f"/{path} in the image: {(error.strerror or 'unreadable').lower()}") from None
    try:
        status = os.fstat(place)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MAXIMUM_FILE:
            raise InvalidUserFile(f"/{path} in the image is no regular file of at most {_MAXIMUM_FILE} bytes")
        return os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(place)
